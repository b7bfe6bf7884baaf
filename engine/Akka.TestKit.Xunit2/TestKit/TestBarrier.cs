using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>Lets threads go on together. A wait that ends first throws.</summary>
#pragma warning disable CA1001 // the official barrier is not disposable, and no suite disposes of it
public class TestBarrier
#pragma warning restore CA1001
{
    private readonly TestKitBase _testKit;
    private readonly int _count;
    private readonly TimeSpan _defaultTimeout;
    private readonly Barrier _barrier;

    /// <summary>A barrier for <paramref name="count"/> threads; waits are dilated.</summary>
    public TestBarrier(TestKitBase testKit, int count, TimeSpan? defaultTimeout = null)
    {
        _testKit = testKit;
        _count = count;
        _defaultTimeout = defaultTimeout ?? testKit.TestKitSettings.DefaultTimeout;
        _barrier = new Barrier(count);
    }

    /// <summary>Waits for the other threads, as long as the default timeout.</summary>
    /// <exception cref="TimeoutException">Not all came in time.</exception>
    public void Await() => Await(_defaultTimeout);

    /// <summary>Waits for the other threads.</summary>
    /// <exception cref="TimeoutException">Not all came in time.</exception>
    public void Await(TimeSpan timeout)
    {
        var limit = _testKit.Dilated(timeout);
        if (!_barrier.SignalAndWait(limit))
            throw new TimeoutException($"Not all of {_count} threads reached the barrier within {Describe.Time(limit)}.");
    }

    /// <summary>Begins anew with as many threads.</summary>
    public void Reset()
    {
        _barrier.RemoveParticipants(_count);
        _barrier.AddParticipants(_count);
    }
}
