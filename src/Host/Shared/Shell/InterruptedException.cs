namespace Userfault.Cli;

/// <summary>
/// Stopped by Ctrl-C before there was anything to report. The exit code is <see cref="ExitCodes.Interrupted"/>.
/// </summary>
internal sealed class InterruptedException() : Exception("stopped by Ctrl-C");
