namespace Userfault.Cli;

/// <summary>Whoever has started this process may die: its end closes the pipe, and nothing stays behind.</summary>
internal static class StandardInput
{
    /// <summary>Cancels when standard input is closed.</summary>
    public static void EndWith(CancellationTokenSource ends)
    {
        var reader = new Thread(() =>
        {
            while (Console.In.Read() >= 0) { }

            ends.Cancel();
        })
        {
            IsBackground = true,
            Name = "end of standard input",
        };
        reader.Start();
    }
}
