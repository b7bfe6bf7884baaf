using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Decides which pages are requested a second time. A demand request is slow when it takes longer than 95 % of the
/// recent ones. A background page in flight that becomes demand is requested again if demand usually arrives sooner
/// than the rest of the background request will. The budget for both is a share of all pages requested, so that a
/// source that is slow as a whole does not get every request twice.
/// </summary>
internal sealed class Hedges(FetchSettings settings)
{
    // With fewer answers, the percentile says little.
    private const int MinAnswers = 20;

    // Old latencies say little either: only this epoch and the previous one count.
    private const int Epoch = 4096;

    // The smoothing factor of the moving averages is 1 / Weight.
    private const int Weight = 8;

    private LatencyHistogram _current = new();
    private LatencyHistogram _previous = new();
    private long _usualDemandNs;
    private long _usualBackgroundNs = long.MaxValue;

    /// <summary>Pages requested a second time since the start.</summary>
    public long Pages { get; private set; }

    /// <summary>
    /// The wait, in ns, after which a request is slow; <see cref="long.MaxValue"/> before enough is known, or if hedges
    /// are off.
    /// </summary>
    public long SlowNs()
    {
        if (!settings.Hedge || _current.Count + _previous.Count < MinAnswers)
            return long.MaxValue;
        // The epoch with more answers decides; the merged histogram would have to be rebuilt for every call.
        var usual = _current.Count >= _previous.Count ? _current : _previous;
        return Math.Max(settings.HedgeFloorNs, usual.PercentileNs(95));
    }

    /// <summary>
    /// Would a page in flight as background arrive sooner if it were requested again as demand? True if demand usually
    /// takes less than what is left of the usual background latency, or if that latency is exceeded already.
    /// </summary>
    /// <param name="elapsedNs">Time since the background request was sent, in ns.</param>
    public bool IsDemandSooner(long elapsedNs) =>
        settings.Hedge && (_usualBackgroundNs - elapsedNs > _usualDemandNs || elapsedNs > _usualBackgroundNs);

    /// <summary>A background request was answered after this latency.</summary>
    public void OnBackground(long latencyNs) =>
        _usualBackgroundNs =
            _usualBackgroundNs == long.MaxValue
                ? latencyNs
                : _usualBackgroundNs + ((latencyNs - _usualBackgroundNs) / Weight);

    /// <summary>A demand request was answered, or given up, after this latency.</summary>
    public void OnDemand(long latencyNs)
    {
        _usualDemandNs = _usualDemandNs == 0 ? latencyNs : _usualDemandNs + ((latencyNs - _usualDemandNs) / Weight);
        if (_current.Count == Epoch)
        {
            (_current, _previous) = (_previous, _current);
            _current.Clear();
        }

        _current.Record(latencyNs);
    }

    /// <summary>Takes pages out of the budget; false if the budget does not suffice.</summary>
    /// <param name="pages">The number of pages.</param>
    /// <param name="asked">Pages requested since the start, without hedges.</param>
    public bool TrySpend(int pages, long asked)
    {
        if ((Pages + pages) * 100 > asked * settings.HedgePercent)
            return false;
        Pages += pages;
        return true;
    }
}
