namespace Userfault.Cli;

/// <summary>
/// Something that the user handed in cannot be used. The message is one line that names the thing and the mend; it is
/// printed as it is, and the exit code is <see cref="ExitCodes.BadInput"/>.
/// </summary>
internal sealed class CliException(string message) : Exception(message);
