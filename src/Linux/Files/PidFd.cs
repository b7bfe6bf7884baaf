namespace Userfault.Linux;

/// <summary>
/// A pidfd: a process by itself, not by a number that may become another's. Readable once it has ended.
/// </summary>
internal sealed class PidFd : IDisposable
{
    /// <summary>SIGKILL, which cannot be caught.</summary>
    public const int Kill = 9;

    // The same on every architecture since Linux 5.1.
    private const int PidfdSendSignal = 424;
    private const int PidfdOpen = 434;

    /// <summary>Takes a pidfd that came from elsewhere.</summary>
    public PidFd(OwnedFd fd) => Fd = fd;

    /// <summary>The descriptor.</summary>
    public OwnedFd Fd { get; }

    /// <summary>Opens a running process.</summary>
    /// <exception cref="LinuxException">ESRCH: it has ended. EINVAL for 0: it cannot be seen from here.</exception>
    public static PidFd Open(int pid) =>
        new(
            new OwnedFd(
                (int)
                    Errors.Check(
                        Libc.Syscall(PidfdOpen, pid, 0, 0, 0),
                        $"pidfd_open {pid}",
                        pid == 0 ? "the process is of another pid namespace: run the handler where it sees it" : null
                    )
            )
        );

    /// <summary>
    /// In the place of a process that had ended before it could be opened: ended, and beyond signals.
    /// </summary>
    public static PidFd OfEnded()
    {
        using var ended = new EventFd();
        ended.Signal();
        return new PidFd(ended.Fd.Duplicate());
    }

    /// <summary>The number of the process; 0 or less where it has ended, or is not known.</summary>
    public int Number
    {
        get
        {
            try
            {
                var line = File.ReadLines($"/proc/self/fdinfo/{Fd.Number}")
                    .FirstOrDefault(static l => l.StartsWith("Pid:", StringComparison.Ordinal));
                return line is not null && int.TryParse(line.AsSpan(4), out var pid) ? pid : 0;
            }
            catch (IOException)
            {
                return 0;
            }
        }
    }

    /// <summary>Sends a signal; false where the process is gone already.</summary>
    /// <exception cref="LinuxException">EPERM: not allowed to.</exception>
    public bool Signal(int signal)
    {
        if (Libc.Syscall(PidfdSendSignal, Fd.Number, signal, 0, 0) == 0)
            return true;
        return Errors.Last is LinuxErrno.ESRCH or LinuxErrno.EBADF
            ? false
            : throw new LinuxException("pidfd_send_signal", Errors.Last);
    }

    /// <summary>Has it ended within <paramref name="timeoutMs"/> (-1 waits for ever)?</summary>
    public unsafe bool HasEnded(int timeoutMs = 0)
    {
        var poll = new PollFd(Fd.Number, Libc.POLLIN);
        return Libc.Poll(&poll, 1, timeoutMs) > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => Fd.Dispose();
}
