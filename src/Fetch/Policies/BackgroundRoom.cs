namespace Userfault.Fetch;

/// <summary>
/// Limits the background pages in flight, so that demand does not wait long behind them: a page that has left its
/// source cannot be overtaken, whatever the priorities. The limit shrinks when demand latency exceeds the recent
/// minimum by more than the permitted delay, and grows again when it does not, or while there is no demand.
/// </summary>
/// <param name="minPages">Minimum room: one request.</param>
/// <param name="maxPages">Maximum room: the window.</param>
/// <param name="delayNs">Permitted excess over the lowest demand latency, in ns; 0 keeps the maximum room.</param>
internal sealed class BackgroundRoom(int minPages, int maxPages, long delayNs)
{
    // The lowest latency of this many requests is taken as that of the idle path. It expires, because paths change.
    private const int Epoch = 1024;

    private readonly int _minPages = Math.Min(minPages, maxPages);
    private readonly int _maxPages = maxPages;
    private long _quickestNs = long.MaxValue;
    private long _quickestOfEpochNs = long.MaxValue;
    private int _inEpoch;

    /// <summary>The current room, in pages.</summary>
    public int Pages { get; private set; } = maxPages;

    /// <summary>A demand request was answered.</summary>
    /// <param name="latencyNs">The latency of the request.</param>
    public void OnDemand(long latencyNs)
    {
        _quickestOfEpochNs = Math.Min(_quickestOfEpochNs, latencyNs);
        _quickestNs = Math.Min(_quickestNs, latencyNs);
        if (++_inEpoch == Epoch)
            (_quickestNs, _quickestOfEpochNs, _inEpoch) = (_quickestOfEpochNs, long.MaxValue, 0);
        if (delayNs <= 0)
            return;
        Pages =
            latencyNs - _quickestNs > delayNs
                ? Math.Max(_minPages, Pages - (Pages / 4))
                : Pages + Math.Min(1, _maxPages - Pages);
    }

    /// <summary>A background request was answered.</summary>
    /// <param name="isDemandWaiting">Is demand in flight as well?</param>
    public void OnBackground(bool isDemandWaiting)
    {
        if (!isDemandWaiting)
            Pages += Math.Min(Math.Max(1, _minPages / 4), _maxPages - Pages);
    }
}
