using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Opens after a number of count-downs. A wait that ends first throws.</summary>
#pragma warning disable CA1001 // the official latch is not disposable, and no suite disposes of it
public class TestLatch
#pragma warning restore CA1001
{
    private static readonly TimeSpan UnconfiguredTimeout = TimeSpan.FromSeconds(5);

    private readonly CountdownEvent _latch;
    private readonly Func<TimeSpan, TimeSpan>? _dilate;
    private readonly TimeSpan _defaultTimeout;

    /// <summary>Opens at the first count-down; waits five seconds.</summary>
    public TestLatch()
        : this(1)
    {
    }

    /// <summary>Opens after <paramref name="count"/> count-downs; waits five seconds.</summary>
    public TestLatch(int count)
        : this(count, UnconfiguredTimeout)
    {
    }

    /// <summary>Opens after <paramref name="count"/> count-downs.</summary>
    public TestLatch(int count, TimeSpan defaultTimeout)
    {
        _latch = new CountdownEvent(count);
        _defaultTimeout = defaultTimeout;
    }

    /// <summary>Opens after <paramref name="count"/> count-downs; every wait passes through <paramref name="dilate"/>.</summary>
    protected TestLatch(Func<TimeSpan, TimeSpan> dilate, TimeSpan defaultTimeout, int count)
        : this(count, defaultTimeout) => _dilate = dilate;

    internal TestLatch(Func<TimeSpan, TimeSpan> dilate, int count, TimeSpan defaultTimeout)
        : this(dilate, defaultTimeout, count)
    {
    }

    /// <summary>Whether no count-down is missing.</summary>
    public bool IsOpen => _latch.CurrentCount == 0;

    /// <summary>Counts down by one.</summary>
    public void CountDown() => _latch.Signal();

    /// <summary>Counts down to the end.</summary>
    public void Open()
    {
        while (!IsOpen)
            CountDown();
    }

    /// <summary>Closes it again, with its first count.</summary>
    public void Reset() => _latch.Reset();

    /// <summary>Waits for the latch to open.</summary>
    /// <exception cref="TimeoutException">It did not open in time.</exception>
    public void Ready(TimeSpan timeout)
    {
        if (timeout == TimeSpan.MaxValue)
            throw new ArgumentException("A latch does not wait for ever.", nameof(timeout));
        var limit = _dilate?.Invoke(timeout) ?? timeout;
        if (!_latch.Wait(limit))
            throw new TimeoutException(
                $"The latch did not open within {Describe.Time(limit)}: {_latch.CurrentCount} of {_latch.InitialCount} count-downs are missing.");
    }

    /// <summary>Waits for the latch to open, as long as its default timeout.</summary>
    /// <exception cref="TimeoutException">It did not open in time.</exception>
    public void Ready() => Ready(_defaultTimeout);
}
