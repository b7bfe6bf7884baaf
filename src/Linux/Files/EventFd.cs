namespace Userfault.Linux;

/// <summary>An eventfd: a count that any thread or process adds to, and one waits for by poll.</summary>
public sealed unsafe class EventFd : IDisposable
{
    private const int Flags = Libc.O_NONBLOCK | Libc.O_CLOEXEC;

    /// <summary>A count of 0.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public EventFd() => Fd = new OwnedFd(Errors.Check(Libc.EventFd(0, Flags), "eventfd"));

    /// <summary>The descriptor, readable while the count is not 0.</summary>
    public OwnedFd Fd { get; }

    /// <summary>Adds one; wakes whoever waits.</summary>
    public void Signal()
    {
        ulong one = 1;
        // Fails where the count is at its end, which is a signal too.
        _ = Libc.Write(Fd.Number, &one, sizeof(ulong));
    }

    /// <summary>Waits until the count is not 0; false where it is 0 for so long.</summary>
    public bool Wait(int timeoutMs)
    {
        var poll = new PollFd(Fd.Number, Libc.POLLIN);
        return Libc.Poll(&poll, 1, timeoutMs) > 0;
    }

    /// <summary>Sets it to 0 and answers what it was.</summary>
    public ulong Reset()
    {
        ulong count = 0;
        _ = Libc.Read(Fd.Number, &count, sizeof(ulong));
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => Fd.Dispose();
}
