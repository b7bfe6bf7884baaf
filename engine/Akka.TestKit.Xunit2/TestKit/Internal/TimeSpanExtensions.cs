using System.Diagnostics;

namespace Akka.TestKit.Internal;

/// <summary>Durations as the test kit takes them: positive, zero, or negative for endless.</summary>
internal static class TimeSpanExtensions
{
    public static bool IsInfinite(this TimeSpan time) => time < TimeSpan.Zero;

    public static bool IsPositiveFinite(this TimeSpan time) => time > TimeSpan.Zero;

    public static TimeSpan Min(this TimeSpan a, TimeSpan b)
    {
        if (a.IsInfinite())
            return b;
        return b.IsInfinite() || a < b ? a : b;
    }

    public static void EnsureIsPositiveFinite(this TimeSpan time, string parameterName)
    {
        if (time.IsInfinite())
            throw new ArgumentException($"{parameterName} must be finite, it was {time}.", parameterName);
    }

    /// <summary>
    /// Blocks the test's thread, which no actor needs: polling a condition of the caller's leaves nothing to wait on.
    /// </summary>
    public static void Pause(this TimeSpan time)
    {
        Debug.Assert(!time.IsInfinite(), "a poll interval is finite");
        CancellationToken.None.WaitHandle.WaitOne(time);
    }
}
