namespace Userfault.Linux;

/// <summary>
/// A call to the kernel failed. The message is one line: what was called, the error by name, and what to do.
/// </summary>
public sealed class LinuxException : Exception
{
    /// <summary>An error of a call.</summary>
    /// <param name="call">What was called, and on what.</param>
    /// <param name="error">What it answered.</param>
    /// <param name="mend">What to do about it, where that is known.</param>
    public LinuxException(string call, LinuxErrno error, string? mend = null)
        : base(mend is null ? $"{call}: {error}" : $"{call}: {error}; {mend}") => (Call, Error) = (call, error);

    /// <summary>What was called, and on what.</summary>
    public string Call { get; }

    /// <summary>What it answered.</summary>
    public LinuxErrno Error { get; }
}
