using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Waiting for what has no message: conditions are asked again and again on the test's thread.</content>
public abstract partial class TestKitBase
{
    private static readonly TimeSpan DefaultAssertInterval = TimeSpan.FromMilliseconds(800);
    private static readonly TimeSpan DefaultConditionInterval = TimeSpan.FromMilliseconds(100);

    /// <summary>Runs <paramref name="assertion"/> until it does not throw; rethrows its last exception.</summary>
    /// <param name="assertion">What must come to hold.</param>
    /// <param name="duration">Longest wait, dilated; by default as for ExpectMsg.</param>
    /// <param name="interval">Pause between tries; by default 800 ms. The last try is the last one that starts in time.</param>
    public void AwaitAssert(Action assertion, TimeSpan? duration = null, TimeSpan? interval = null)
    {
        var pause = interval ?? DefaultAssertInterval;
        var limit = RemainingOrDilated(duration);
        var stop = Now + limit;
        var next = limit.Min(pause);
        while (true)
        {
            try
            {
                assertion();
                return;
            }
#pragma warning disable CA1031 // whatever the assertion throws says that it does not hold yet
            catch (Exception) when (Now + next < stop)
#pragma warning restore CA1031
            {
                next.Pause();
            }
            next = (stop - Now).Min(pause);
        }
    }

    /// <summary>Waits until <paramref name="conditionIsFulfilled"/>, asking ten times over the wait.</summary>
    /// <param name="conditionIsFulfilled">The condition.</param>
    /// <param name="max">Longest wait, dilated; by default as for ExpectMsg.</param>
    /// <param name="message">Is added to the report of a failure.</param>
    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max = null, string? message = null)
    {
        var limit = RemainingOrDilated(max);
        AwaitConditionOrFail(conditionIsFulfilled, limit, limit / 10, message);
    }

    /// <summary>Waits until <paramref name="conditionIsFulfilled"/>.</summary>
    /// <param name="conditionIsFulfilled">The condition.</param>
    /// <param name="max">Longest wait, dilated; by default as for ExpectMsg.</param>
    /// <param name="interval">Pause between questions; without one it asks at once and at the end.</param>
    /// <param name="message">Is added to the report of a failure.</param>
    public void AwaitCondition(Func<bool> conditionIsFulfilled, TimeSpan? max, TimeSpan? interval, string? message = null) =>
        AwaitConditionOrFail(conditionIsFulfilled, RemainingOrDilated(max), interval, message);

    /// <summary>Waits until <paramref name="conditionIsFulfilled"/>, at most <paramref name="max"/>, not dilated.</summary>
    /// <param name="conditionIsFulfilled">The condition.</param>
    /// <param name="max">Longest wait.</param>
    /// <param name="interval">Pause between questions; by default 100 ms.</param>
    /// <returns>Whether the condition came to hold.</returns>
#pragma warning disable CA1822 // suites call it on their instance
    public bool AwaitConditionNoThrow(Func<bool> conditionIsFulfilled, TimeSpan max, TimeSpan? interval = null) =>
        InternalAwaitCondition(conditionIsFulfilled, max, interval ?? DefaultConditionInterval, (_, _) => { });
#pragma warning restore CA1822

    /// <summary>Waits until <paramref name="conditionIsFulfilled"/>.</summary>
    /// <param name="conditionIsFulfilled">The condition.</param>
    /// <param name="max">Longest wait.</param>
    /// <param name="interval">Pause between questions; without one it asks at once and at the end.</param>
    /// <param name="fail">Is called with a composite format string and its arguments when the time is up.</param>
    /// <returns>Whether the condition came to hold.</returns>
    protected static bool InternalAwaitCondition(
        Func<bool> conditionIsFulfilled, TimeSpan max, TimeSpan? interval, Action<string, object[]> fail)
    {
        max.EnsureIsPositiveFinite(nameof(max));
        var stop = Now + max;
        while (!conditionIsFulfilled())
        {
            var now = Now;
            if (now > stop)
            {
                fail("The condition did not hold within {0}. ", [Describe.Time(max)]);
                return false;
            }
            (stop - now).Min(interval ?? Timeout.InfiniteTimeSpan).Pause();
        }
        return true;
    }

    private void AwaitConditionOrFail(Func<bool> condition, TimeSpan limit, TimeSpan? interval, string? message) =>
        InternalAwaitCondition(condition, limit, interval, (format, args) => _assertions.Fail(format + "{1}", args[0], message ?? ""));
}
