namespace Userfault.Linux;

/// <summary>
/// Where one thread sleeps until another rings, a descriptor is readable or a time is over, to some microseconds:
/// schedulers and monitors count in milliseconds. A ring before the wait is not lost. On Linux an eventfd in a ppoll
/// with the thread's timer slack taken away; elsewhere as exact as the system's own events.
/// </summary>
public sealed unsafe class Doorbell : IDisposable
{
    /// <summary>Waits without an end.</summary>
    public const long Forever = -1;

    private readonly EventCounter? _counter = OperatingSystem.IsLinux() ? new EventCounter() : null;
    private readonly AutoResetEvent? _event = OperatingSystem.IsLinux() ? null : new AutoResetEvent(false);
    private PollFd[] _polled;
    private bool _isSharp;

    /// <summary>A bell that no descriptor belongs to.</summary>
    public Doorbell() => _polled = _counter is null ? [] : [new PollFd(_counter.Fd, Libc.POLLIN)];

    /// <summary>Can the thread wait for descriptors, too?</summary>
    public static bool TakesDescriptors => OperatingSystem.IsLinux();

    /// <summary>
    /// The descriptors that end a wait when they are readable, in place of those before. For the thread that waits.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">This system's events are no descriptors.</exception>
    public void Watch(ReadOnlySpan<int> descriptors)
    {
        if (_counter is null)
            throw new PlatformNotSupportedException("descriptors are waited for on Linux only");
        var polled = new PollFd[1 + descriptors.Length];
        polled[0] = _polled[0];
        for (var i = 0; i < descriptors.Length; i++)
            polled[1 + i] = new PollFd(descriptors[i], Libc.POLLIN);
        _polled = polled;
    }

    /// <summary>
    /// Sleeps until the bell rings, a descriptor is readable or the time is over; may return early. For one thread
    /// alone, always the same.
    /// </summary>
    /// <param name="timeoutNs">How long at most, in ns; 0 only looks; <see cref="Forever"/> has no end.</param>
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

        var time = new TimeSpec(timeoutNs / 1_000_000_000, timeoutNs % 1_000_000_000);
        fixed (PollFd* polled = _polled)
        {
            if (Libc.Poll(polled, (nuint)_polled.Length, timeoutNs < 0 ? null : &time, null) <= 0)
            {
                // What the wait before found is not true any more.
                for (var i = 0; i < _polled.Length; i++)
                    polled[i].Returned = 0;
            }
            else if (polled[0].Returned != 0)
            {
                counter.Reset();
            }
        }
    }

    /// <summary>
    /// Was this descriptor of <see cref="Watch"/>, by its index, readable or at its end in the last wait?
    /// </summary>
    public bool IsReadable(int index) => _polled[1 + index].Returned != 0;

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
