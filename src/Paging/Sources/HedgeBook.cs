namespace Userfault.Paging;

/// <summary>
/// What hedges are decided by: how long demand takes, how much was asked for, and how much of that twice. Any thread.
/// </summary>
internal sealed class HedgeBook(HedgeSettings settings)
{
    // Fewer answers say little of what is usual.
    private const int LeastAnswers = 20;

    private readonly Lock _lock = new();
    private readonly LatencyHistogram _latency = new();
    private long _asked;
    private long _hedged;

    /// <summary>Pages asked of a second replica so far.</summary>
    public long Hedged => Interlocked.Read(ref _hedged);

    /// <summary>After how many ns a request is slow; none is before enough have been answered.</summary>
    public long SlowNs
    {
        get
        {
            lock (_lock)
            {
                return _latency.Count < LeastAnswers ? long.MaxValue : Math.Max(settings.FloorNs, _latency.PercentileNs(95));
            }
        }
    }

    /// <summary>Pages are asked for, first-hand.</summary>
    public void Asked(ulong pages) => Interlocked.Add(ref _asked, (long)pages);

    /// <summary>A demand request has been answered after this.</summary>
    public void Answered(long latencyNs)
    {
        lock (_lock) _latency.Record(latencyNs);
    }

    /// <summary>Takes pages out of what may be hedged; false where that is used up.</summary>
    public bool TryHedge(ulong pages)
    {
        lock (_lock)
        {
            if ((_hedged + (long)pages) * 100 > Interlocked.Read(ref _asked) * settings.Percent) return false;
            Interlocked.Add(ref _hedged, (long)pages);
            return true;
        }
    }
}
