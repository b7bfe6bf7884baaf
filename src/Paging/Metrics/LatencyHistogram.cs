using System.Numerics;

namespace Userfault.Paging;

/// <summary>
/// Durations in nanoseconds, counted in log-linear buckets: 32 a power of two, so a value is known to within 1/32
/// (3.1 %) from 32 ns on, and exactly below. Fixed size, no allocation on <see cref="Record"/>. One writer; whoever wants
/// to read while it writes takes <see cref="Snapshot"/> on the writer's side.
/// </summary>
public sealed class LatencyHistogram
{
    private const int SubBits = 5;
    private const int SubBuckets = 1 << SubBits;
    private readonly long[] _counts = new long[(64 - SubBits + 1) * SubBuckets];

    /// <summary>How many values were recorded.</summary>
    public long Count { get; private set; }

    /// <summary>Sum of all values, in ns.</summary>
    public long SumNs { get; private set; }

    /// <summary>Largest value, in ns, exact; 0 where there is none.</summary>
    public long MaxNs { get; private set; }

    /// <summary>Smallest value, in ns, exact; 0 where there is none.</summary>
    public long MinNs { get; private set; }

    /// <summary>Mean, in ns; 0 where there is none.</summary>
    public double MeanNs => Count == 0 ? 0 : (double)SumNs / Count;

    /// <summary>Counts one duration; a negative one counts as 0.</summary>
    public void Record(long valueNs)
    {
        if (valueNs < 0) valueNs = 0;
        _counts[BucketOf(valueNs)]++;
        MinNs = Count == 0 ? valueNs : Math.Min(MinNs, valueNs);
        MaxNs = Math.Max(MaxNs, valueNs);
        SumNs += valueNs;
        Count++;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Array.Clear(_counts);
        (Count, SumNs, MinNs, MaxNs) = (0, 0, 0, 0);
    }

    /// <summary>Adds all that <paramref name="other"/> holds.</summary>
    public void Add(LatencyHistogram other)
    {
        if (other.Count == 0) return;
        for (var i = 0; i < _counts.Length; i++) _counts[i] += other._counts[i];
        MinNs = Count == 0 ? other.MinNs : Math.Min(MinNs, other.MinNs);
        MaxNs = Math.Max(MaxNs, other.MaxNs);
        SumNs += other.SumNs;
        Count += other.Count;
    }

    /// <summary>A copy that does not change any more.</summary>
    public LatencyHistogram Snapshot()
    {
        var copy = new LatencyHistogram();
        copy.Add(this);
        return copy;
    }

    /// <summary>
    /// The value below or at which <paramref name="percentile"/> percent of all values lie, as its bucket's upper edge in
    /// ns, never above <see cref="MaxNs"/>; 0 where there is none.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="percentile"/> is not in [0, 100].</exception>
    public long PercentileNs(double percentile)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(percentile, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(percentile, 100);
        if (Count == 0) return 0;
        var rank = Math.Max(1, (long)Math.Ceiling(Count * percentile / 100));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank) return Math.Min(UpperEdgeNs(i), MaxNs);
        }

        return MaxNs;
    }

    /// <summary>The buckets that hold something: lower and upper edge in ns, both inclusive, and the count.</summary>
    public IEnumerable<(long LowNs, long HighNs, long Count)> Buckets()
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] != 0) yield return (LowerEdgeNs(i), UpperEdgeNs(i), _counts[i]);
        }
    }

    private static int BucketOf(long value)
    {
        if (value < SubBuckets) return (int)value;
        var shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)((value >> shift) - SubBuckets);
    }

    private static long LowerEdgeNs(int bucket)
    {
        if (bucket < SubBuckets) return bucket;
        var shift = (bucket >> SubBits) - 1;
        return (long)(SubBuckets + (bucket & (SubBuckets - 1))) << shift;
    }

    private static long UpperEdgeNs(int bucket) =>
        bucket < SubBuckets ? bucket : LowerEdgeNs(bucket) + (1L << ((bucket >> SubBits) - 1)) - 1;
}
