using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>What a fetcher does about sources that are slow or silent: timeouts and hedges.</summary>
public sealed partial class FetcherCore
{
    /// <summary>
    /// Looks for requests that take too long. Overdue ones are asked again elsewhere; slow demand ones are hedged.
    /// </summary>
    /// <param name="nowNs">The time.</param>
    /// <param name="cancel">Gets the requests that the shell should cancel at their sources.</param>
    public void OnTick(long nowNs, List<(int Source, ulong RequestId)> cancel)
    {
        // With one source there is nobody else to ask, and asking it again would only make it slower: a connection that
        // is lost says so itself.
        if (settings.TimeoutNs <= 0 || SourcesUp() < 2) return;
        _overdue.Clear();
        foreach (var request in _requests.Values)
        {
            if (nowNs - request.SentNs >= settings.TimeoutNs) _overdue.Add(request.Id);
        }

        _overdue.Sort();
        foreach (var id in _overdue)
        {
            var request = _requests[id];
            cancel.Add((request.Source, id));
            _sources[request.Source].IsOverdue = true;
            GiveBack(request);
        }

        if (_overdue.Count > 0) CountSilence();
    }

    // However many requests are overdue at once, it is one silence: a machine that stood still for a moment is not a
    // source that is gone. Pages that come end it.
    private void CountSilence()
    {
        foreach (var source in _sources)
        {
            if (source.IsOverdue && ++source.SilentTicks >= settings.MostBadAnswers) source.IsUp = false;
            source.IsOverdue = false;
        }
    }

    /// <summary>The next hedge to send, or null. Call until null, after <see cref="OnTick"/>.</summary>
    public FetchRequest? NextHedge(long nowNs)
    {
        if (!settings.Hedge || SourcesUp() < 2 || _latency.Count < 20) return null;
        var slowNs = Math.Max(settings.HedgeFloorNs, _latency.PercentileNs(95));
        FetchRequest? slow = null;
        foreach (var request in _requests.Values)
        {
            if (request.Priority != FetchPriority.Demand || request.IsHedge || request.WasHedged) continue;
            if (nowNs - request.SentNs >= slowNs && (slow is null || request.Id < slow.Id)) slow = request;
        }

        if (slow is null) return null;
        var asked = _counters.DemandPages + _counters.BackgroundPages;
        if ((_counters.Hedged + Missing(slow)) * 100 > asked * settings.HedgePercent) return null;

        var source = ChooseSource(except: slow.Source);
        if (source < 0) return null;
        slow.WasHedged = true;
        var hedge = NewRequest(source, FetchPriority.Demand, nowNs, isHedge: true);
        foreach (var gfn in PagesOf(slow))
        {
            if (IsOnItsWay(gfn)) hedge.Add(gfn);
        }

        if (hedge.Pages == 0)
        {
            Close(hedge);
            return null;
        }

        _counters = _counters with
        {
            Hedged = _counters.Hedged + hedge.Pages,
            Requests = _counters.Requests + 1,
        };
        Opened(hedge);
        return hedge;
    }
}
