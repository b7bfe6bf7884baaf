namespace Userfault.Simulation;

/// <summary>
/// A distribution of latencies, given by the minimum, the median, the 90th, 99th and 99.9th percentile and the maximum,
/// with linear interpolation between them. Integers only, so that every machine draws the same.
/// </summary>
/// <param name="LeastNs">The minimum, in ns.</param>
/// <param name="P50Ns">Half of all are at most this.</param>
/// <param name="P90Ns">90 % are at most this.</param>
/// <param name="P99Ns">99 % are at most this.</param>
/// <param name="P999Ns">99.9 % are at most this.</param>
/// <param name="MostNs">The maximum.</param>
public sealed record SimLatency(long LeastNs, long P50Ns, long P90Ns, long P99Ns, long P999Ns, long MostNs)
{
    /// <summary>No latency.</summary>
    public static readonly SimLatency None = Constant(0);

    private static readonly long[] Marks = [0, 500_000, 900_000, 990_000, 999_000, 1_000_000];

    /// <summary>Always the same.</summary>
    public static SimLatency Constant(long ns) => new(ns, ns, ns, ns, ns, ns);

    /// <summary>Uniform between two values.</summary>
    public static SimLatency Uniform(long leastNs, long mostNs)
    {
        var span = mostNs - leastNs;
        return new SimLatency(
            leastNs,
            leastNs + (span / 2),
            leastNs + (span / 10 * 9),
            leastNs + (span / 100 * 99),
            leastNs + (span / 1000 * 999),
            mostNs
        );
    }

    /// <summary>
    /// Typical of a network: most near the median, one in a hundred at 4 times, one in a thousand at 20 times, none
    /// above 50 times the median.
    /// </summary>
    public static SimLatency LongTailed(long medianNs) =>
        new(medianNs / 2, medianNs, medianNs * 2, medianNs * 4, medianNs * 20, medianNs * 50);

    /// <summary>Draws a latency.</summary>
    public long Draw(SimRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        if (LeastNs == MostNs)
            return LeastNs;
        var at = (long)random.Below(1_000_000);
        ReadOnlySpan<long> values = [LeastNs, P50Ns, P90Ns, P99Ns, P999Ns, MostNs];
        var i = 1;
        while (at >= Marks[i])
            i++;
        return values[i - 1]
            + (long)((Int128)(values[i] - values[i - 1]) * (at - Marks[i - 1]) / (Marks[i] - Marks[i - 1]));
    }
}
