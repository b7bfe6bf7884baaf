namespace Userfault.Linux;

/// <summary>
/// Wakes a thread when a file is written to or cut (inotify). What is written through a mapping wakes nobody: look now
/// and then as well. Works without where the machine has no watch left.
/// </summary>
public sealed unsafe class FileWatch : IDisposable
{
    private const uint Modified = 0x2;
    private const uint AttributesChanged = 0x4;
    private readonly EventFd _stop = new();
    private readonly OwnedFd? _notify;

    /// <summary>Watches what a path leads to now.</summary>
    public FileWatch(string path)
    {
        var notify = Libc.NotifyCreate(Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        if (notify < 0)
            return;
        _notify = new OwnedFd(notify);
        _ = Libc.NotifyAdd(notify, path, Modified | AttributesChanged);
    }

    /// <summary>Waits for a change or for the time to pass; false when it is over.</summary>
    public bool Wait(TimeSpan longest)
    {
        var fds = stackalloc PollFd[2];
        fds[0] = new PollFd(_stop.Fd.Number, Libc.POLLIN);
        fds[1] = new PollFd(_notify?.Number ?? -1, Libc.POLLIN);
        _ = Libc.Poll(fds, 2, (int)longest.TotalMilliseconds);
        if (fds[0].Returned != 0)
            return false;
        if (fds[1].Returned != 0)
        {
            var events = stackalloc byte[4096];
            while (Libc.Read(_notify!.Number, events, 4096) > 0) { }
        }

        return true;
    }

    /// <summary>Ends the wait, now or when it begins.</summary>
    public void Stop() => _stop.Signal();

    /// <inheritdoc/>
    public void Dispose()
    {
        _notify?.Dispose();
        _stop.Dispose();
    }
}
