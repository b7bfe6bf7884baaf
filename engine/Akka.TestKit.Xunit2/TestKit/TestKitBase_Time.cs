using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <content>Time limits: Within, what remains of it, and dilation.</content>
public abstract partial class TestKitBase
{
    /// <summary>What is left of the innermost Within; outside of one the dilated <c>single-expect-default</c>.</summary>
    public TimeSpan RemainingOrDefault => RemainingOr(Dilated(TestKitSettings.SingleExpectDefault));

    /// <summary>What is left of the innermost Within.</summary>
    /// <exception cref="InvalidOperationException">Not inside of one.</exception>
    public TimeSpan Remaining => _testState.End is { } end
        ? end - Now
        : throw new InvalidOperationException("Remaining may not be called outside of Within.");

    /// <summary>A given duration dilated, or else <see cref="RemainingOrDefault"/>. Always finite.</summary>
    /// <exception cref="ArgumentException">The duration is negative, which means endless.</exception>
    public TimeSpan RemainingOrDilated(TimeSpan? duration)
    {
        if (duration is not { } given)
            return RemainingOrDefault;
        given.EnsureIsPositiveFinite(nameof(duration));
        return Dilated(given);
    }

    /// <summary>The duration times <c>timefactor</c>; zero and endless stay what they are.</summary>
    public TimeSpan Dilated(TimeSpan duration) =>
        duration.IsPositiveFinite() ? new TimeSpan((long)(duration.Ticks * TestKitSettings.TestTimeFactor)) : duration;

    /// <summary>The given timeout, or else <c>single-expect-default</c>, not dilated.</summary>
    public TimeSpan GetTimeoutOrDefault(TimeSpan? timeout) => timeout ?? TestKitSettings.SingleExpectDefault;

    /// <summary>Runs <paramref name="action"/>, which must end within <paramref name="max"/> (dilated).</summary>
    public void Within(TimeSpan max, Action action) => Within(TimeSpan.Zero, max, action);

    /// <summary>Runs <paramref name="action"/>, which must take between both durations; the maximum is dilated.</summary>
    public void Within(TimeSpan min, TimeSpan max, Action action, string? hint = null) =>
        Within(min, max, () => { action(); return true; }, hint);

    /// <summary>Runs <paramref name="function"/>, which must end within <paramref name="max"/> (dilated).</summary>
    public T Within<T>(TimeSpan max, Func<T> function) => Within(TimeSpan.Zero, max, function);

    /// <summary>
    /// Runs <paramref name="function"/>, which must take between both durations; the maximum is dilated. Expectations
    /// inside without a duration of their own share what remains. Blocks may be nested.
    /// </summary>
    public T Within<T>(TimeSpan min, TimeSpan max, Func<T> function, string? hint = null)
    {
        min.EnsureIsPositiveFinite(nameof(min));
        max.EnsureIsPositiveFinite(nameof(max));
        var start = Now;
        var outerEnd = _testState.End;
        var left = outerEnd.HasValue ? outerEnd.Value - start : Timeout.InfiniteTimeSpan;
        if (outerEnd.HasValue && left < min)
        {
            _assertions.Fail(
                $"The block must take at least {Describe.Time(min)}, but the block around it has only " +
                $"{Describe.Time(left)} left.{Describe.Hint(hint)}");
        }

        var limit = outerEnd.HasValue && left < Dilated(max) ? left : Dilated(max);
        _testState.LastWasNoMsg = false;
        _testState.End = start + limit;
        T result;
        try
        {
            result = function();
        }
        finally
        {
            _testState.End = outerEnd;
        }

        var elapsed = Now - start;
        if (elapsed < min)
            _assertions.Fail($"The block took {Describe.Time(elapsed)}, expected at least {Describe.Time(min)}.{Describe.Hint(hint)}");
        if (elapsed > limit && !_testState.LastWasNoMsg)
            _assertions.Fail($"The block took {Describe.Time(elapsed)}, expected at most {Describe.Time(limit)}.{Describe.Hint(hint)}");
        return result;
    }

    /// <summary>What is left of the innermost Within, or else <paramref name="duration"/>.</summary>
    protected TimeSpan RemainingOr(TimeSpan duration) => _testState.End is { } end ? end - Now : duration;
}
