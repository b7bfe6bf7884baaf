namespace Userfault.Linux;

/// <summary>
/// What COPY, ZEROPAGE, CONTINUE, MOVE and POISON did. They stop at the first page that they cannot do:
/// <see cref="Done"/> bytes before it are in place, and the next call, beginning there, says why.
/// </summary>
/// <param name="Done">Bytes in place from the start of the range.</param>
/// <param name="Error">
/// None where all is done; EAGAIN: partly done, or the address space is changing (drain events, try again); EEXIST: the
/// first page is there already; ENOENT: not registered, or unmapped; ESRCH: the process is gone.
/// </param>
public readonly record struct UffdResult(ulong Done, LinuxErrno Error)
{
    /// <summary>Is the whole range done?</summary>
    public bool IsComplete => Error == LinuxErrno.None;
}
