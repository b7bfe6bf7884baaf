using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>What the command's exit codes mean.</summary>
internal static class ExitCodes
{
    /// <summary>Done, and verified where there is something to verify.</summary>
    public const int Success = 0;

    /// <summary>The migration failed, or a page or a read was wrong.</summary>
    public const int Failed = 1;

    /// <summary>Bad input: an option, a file, a setting.</summary>
    public const int BadInput = 2;

    /// <summary>A bug of this program (EX_SOFTWARE): an exception that nobody foresaw.</summary>
    public const int Bug = 70;

    /// <summary>Stopped by Ctrl-C; what was not finished was said.</summary>
    public const int Interrupted = 130;

    /// <summary>What a migration's report means for the process that started the command.</summary>
    public static int Of(MigrationReport report, CancellationToken cancelled) =>
        cancelled.IsCancellationRequested ? Interrupted
        : report.IsVerified ? Success
        : Failed;
}
