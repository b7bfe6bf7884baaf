namespace Userfault.Linux;

/// <summary>
/// Where one thread sleeps until another rings or a time is over, to some microseconds: schedulers and monitors count
/// in milliseconds. A ring before the wait is not lost. On Linux an eventfd in a ppoll with the thread's timer slack
/// taken away; elsewhere as exact as the system's own events.
/// </summary>
public sealed unsafe class Doorbell : IDisposable
{
    /// <summary>Waits without an end.</summary>
    public const long Forever = -1;

    private readonly EventCounter? _counter = OperatingSystem.IsLinux() ? new EventCounter() : null;
    private readonly AutoResetEvent? _event = OperatingSystem.IsLinux() ? null : new AutoResetEvent(false);
    private bool _isSharp;

    /// <summary>
    /// Sleeps until the bell rings or the time is over; may return early. For one thread alone, always the same.
    /// </summary>
    /// <param name="timeoutNs">How long at most, in ns; <see cref="Forever"/> has no end.</param>
    public void Wait(long timeoutNs)
    {
        if (_counter is not { } counter)
        {
            _event!.WaitOne(timeoutNs < 0 ? -1 : (int)Math.Min((timeoutNs + 999_999) / 1_000_000, int.MaxValue));
            return;
        }

        if (!_isSharp)
        {
            // The kernel may let any sleep last 50 us longer, to wake for several at once.
            _ = Libc.Control(Libc.PR_SET_TIMERSLACK, 1);
            _isSharp = true;
        }

        var poll = new PollFd(counter.Fd, Libc.POLLIN);
        var time = new TimeSpec(timeoutNs / 1_000_000_000, timeoutNs % 1_000_000_000);
        if (Libc.Poll(&poll, 1, timeoutNs < 0 ? null : &time, null) > 0)
            counter.Reset();
    }

    /// <summary>
    /// Wakes the thread that waits, or lets its next wait end at once. From any thread; nothing after the end.
    /// </summary>
    public void Ring()
    {
        if (_counter is { } counter)
            counter.Signal();
        else
            _event!.Set();
    }

    /// <summary>Nobody waits any more.</summary>
    public void Dispose()
    {
        _counter?.Dispose();
        _event?.Dispose();
    }
}
