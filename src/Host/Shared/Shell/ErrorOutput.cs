using System.Text;

namespace Userfault.Cli;

/// <summary>
/// Standard error of a process that others depend on: what cannot be written there is left out, since a full disk or a
/// closed terminal is no reason to end anything, and nobody would see the complaint.
/// </summary>
/// <param name="inner">The console's own.</param>
internal sealed class ErrorOutput(TextWriter inner) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    /// <summary>Every use of <see cref="Console.Error"/> goes this way from now on.</summary>
    public static void Install() => Console.SetError(new ErrorOutput(Console.Error));

    public override void Write(char value) => Try(inner => inner.Write(value));

    public override void Write(string? value) => Try(inner => inner.Write(value));

    public override void Write(char[] buffer, int index, int count) => Try(inner => inner.Write(buffer, index, count));

    public override void WriteLine(string? value) => Try(inner => inner.WriteLine(value));

    public override Task WriteLineAsync(string? value)
    {
        WriteLine(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override void Flush() => Try(static inner => inner.Flush());

    private void Try(Action<TextWriter> write)
    {
        try
        {
            write(inner);
        }
        catch (IOException)
        {
            // Nothing is left to write it to.
        }
    }
}
