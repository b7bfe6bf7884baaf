using System.CommandLine;

namespace Userfault.Cli;

/// <summary>
/// What is said of an exception that nobody foresaw, on whichever thread it was: one line that asks for a bug report, and
/// the stack trace only with <c>--verbose</c>. The exit code is <see cref="ExitCodes.Bug"/>.
/// </summary>
internal static class Unforeseen
{
    /// <summary>The option of all commands.</summary>
    public static Option<bool> Verbose { get; } =
        new("--verbose")
        {
            Description = "print the stack trace of an internal error, for a bug report",
            Recursive = true,
        };

    /// <summary>Says it; answers the exit code.</summary>
    public static int Tell(Exception e, bool isVerbose)
    {
        var what = $"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}";
        Console.Error.WriteLine(
            isVerbose
                ? $"userfault: internal error: {what}; please report this as a bug"
                : $"userfault: internal error: {what}; please report this as a bug, with what --verbose adds"
        );
        if (isVerbose)
            Console.Error.WriteLine(e);
        return ExitCodes.Bug;
    }

    /// <summary>On other threads the runtime would end the process with a stack trace and a signal: this is first.</summary>
    public static void CatchOnAllThreads(bool isVerbose) =>
        AppDomain.CurrentDomain.UnhandledException += (_, unhandled) =>
        {
            if (unhandled.ExceptionObject is Exception e)
                Environment.Exit(Tell(e, isVerbose));
        };
}
