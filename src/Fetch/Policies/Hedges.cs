using Userfault.Paging;

namespace Userfault.Fetch;

/// <summary>
/// When a wait counts as slow, and how much may be asked for a second time. Slow is what takes longer than 95 % of the
/// demand requests of late; the budget is a share of all pages asked for, so that a source that is slow as a whole is not
/// asked for everything twice.
/// </summary>
internal sealed class Hedges(FetchSettings settings)
{
    // Fewer answers say little of what is usual.
    private const int MinAnswers = 20;

    // What was usual a while ago says little either: the latencies of this epoch and of the last one count.
    private const int Epoch = 4096;

    private LatencyHistogram _current = new();
    private LatencyHistogram _previous = new();

    /// <summary>Pages asked for a second time so far.</summary>
    public long Pages { get; private set; }

    /// <summary>After how many ns a wait is slow; <see cref="long.MaxValue"/> before enough is known, or where hedges are off.</summary>
    public long SlowNs()
    {
        if (!settings.Hedge || _current.Count + _previous.Count < MinAnswers) return long.MaxValue;
        // Of both epochs, the one with more answers; a sum of both would have to be made anew each time.
        var usual = _current.Count >= _previous.Count ? _current : _previous;
        return Math.Max(settings.HedgeFloorNs, usual.PercentileNs(95));
    }

    /// <summary>A demand request was answered after this, or is given up after it.</summary>
    public void OnDemand(long latencyNs)
    {
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
        if ((Pages + pages) * 100 > asked * settings.HedgePercent) return false;
        Pages += pages;
        return true;
    }
}
