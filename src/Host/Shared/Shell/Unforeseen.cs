using System.CommandLine;

namespace Userfault.Cli;

/// <summary>
/// What is said of an exception that nobody foresaw, on whichever thread it was: one line that asks for a bug report,
/// and the stack trace only with <c>--verbose</c>. The exit code is <see cref="ExitCodes.Bug"/>.
/// </summary>
/// <param name="error">Where it is said.</param>
/// <param name="isVerbose">With the stack trace?</param>
internal sealed class Unforeseen(TextWriter error, bool isVerbose)
{
    /// <summary>The option of all commands.</summary>
    public static Option<bool> Verbose { get; } =
        new("--verbose")
        {
            Description = "print the stack trace of an internal error, for a bug report",
            Recursive = true,
        };

    /// <summary>Runs a command to its exit code, whatever happens in it.</summary>
    public async Task<int> Guard(Func<Task<int>> run)
    {
        try
        {
            return await run();
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("userfault: stopped before it was done");
            return ExitCodes.Interrupted;
        }
        catch (Exception e)
        {
            return Tell(e);
        }
    }

    /// <summary>
    /// On other threads the runtime would end the process with a stack trace and a signal: this is first.
    /// </summary>
    public void CatchOnAllThreads() =>
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            if (unhandled.ExceptionObject is Exception e)
                Environment.Exit(Tell(e));
        };

    private int Tell(Exception e)
    {
        var more = isVerbose ? "" : ", with what --verbose adds";
        error.WriteLine(
            $"userfault: internal error: {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}; "
                + $"please report this as a bug{more}"
        );
        if (isVerbose)
            error.WriteLine(e);
        return ExitCodes.Bug;
    }
}
