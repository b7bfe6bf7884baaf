using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// What is asked for a second time. A demand request is slow when it takes longer than 95 % of those of late; a page on
/// its way as background that becomes wanted is asked for again where demand is usually here sooner than the rest of
/// that way takes. The budget for both is a share of all pages asked for, so that a source that is slow as a whole is
/// not asked for everything twice.
/// </summary>
internal sealed class Hedges(FetchSettings settings)
{
    // Fewer answers say little of what is usual.
    private const int MinAnswers = 20;

    // What was usual a while ago says little either: the latencies of this epoch and of the last one count.
    private const int Epoch = 4096;

    // Of averages: each answer counts for so much less than the next.
    private const int Weight = 8;

    private LatencyHistogram _current = new();
    private LatencyHistogram _previous = new();
    private long _usualDemandNs;
    private long _usualBackgroundNs = long.MaxValue;

    /// <summary>Pages asked for a second time so far.</summary>
    public long Pages { get; private set; }

    /// <summary>
    /// After how many ns a wait is slow; <see cref="long.MaxValue"/> before enough is known, or where hedges are off.
    /// </summary>
    public long SlowNs()
    {
        if (!settings.Hedge || _current.Count + _previous.Count < MinAnswers)
            return long.MaxValue;
        // Of both epochs, the one with more answers; a sum of both would have to be made anew each time.
        var usual = _current.Count >= _previous.Count ? _current : _previous;
        return Math.Max(settings.HedgeFloorNs, usual.PercentileNs(95));
    }

    /// <summary>
    /// Is a page that is on its way as background here sooner where it is asked for again, as demand? Yes where demand
    /// usually takes less than what is left of that way, or where that way takes longer than usual already.
    /// </summary>
    /// <param name="elapsedNs">How long ago it was asked for, in ns.</param>
    public bool IsDemandSooner(long elapsedNs) =>
        settings.Hedge && (_usualBackgroundNs - elapsedNs > _usualDemandNs || elapsedNs > _usualBackgroundNs);

    /// <summary>A background request was answered after this.</summary>
    public void OnBackground(long latencyNs) =>
        _usualBackgroundNs =
            _usualBackgroundNs == long.MaxValue
                ? latencyNs
                : _usualBackgroundNs + ((latencyNs - _usualBackgroundNs) / Weight);

    /// <summary>A demand request was answered after this, or is given up after it.</summary>
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

    /// <summary>Takes pages out of the budget; false where it does not suffice.</summary>
    /// <param name="pages">How many.</param>
    /// <param name="asked">Pages asked for so far, hedges left out.</param>
    public bool TrySpend(int pages, long asked)
    {
        if ((Pages + pages) * 100 > asked * settings.HedgePercent)
            return false;
        Pages += pages;
        return true;
    }
}
