using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch;

// Sources that come and go, and what is done about those that are slow or silent: hedges and timeouts.
public sealed partial class FetchCore
{
    /// <summary>Is there anything that time alone may change? Then <see cref="OnTick"/> is to be called.</summary>
    public bool NeedsTicks => _requests.Count > 0 && (_settings.TimeoutNs > 0 || _settings.Hedge);

    /// <summary>A source can be asked from now on; answers its number, which may be one of a source that is gone.</summary>
    /// <param name="isSpare">Is it asked only for hedges, and where the others are silent or gone?</param>
    public int AddSource(bool isSpare = false) => _sources.Add(isSpare);

    /// <summary>A source cannot be asked any more: what was asked of it is asked of another.</summary>
    public void RemoveSource(int source)
    {
        if (_sources.IsUp(source)) Lose(source, SourceLoss.Removed);
    }

    /// <summary>Cancels all requests: the engine ends.</summary>
    public void CancelAll()
    {
        CollectIds(source: -1);
        foreach (var id in _ids) _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, _requests[id].Source, RequestId: id));
    }

    /// <summary>
    /// Looks for requests that take too long: overdue ones are given up and asked again, slow ones are hedged. Every
    /// <see cref="FetchSettings.TickNs"/> or so.
    /// </summary>
    public void OnTick(long nowNs)
    {
        // With a single source there is no other to ask, and a second request would only slow it down. A lost connection is
        // reported by the source itself.
        if (_settings.TimeoutNs > 0 && _sources.Up > 1) GiveUpOverdue(nowNs);
        LoseUntrusted();
        var slowNs = _hedges.SlowNs();
        while (slowNs != long.MaxValue && NextHedge(nowNs, slowNs) is { } hedge)
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Ask, hedge.Source, Request: hedge));
    }

    private void GiveUpOverdue(long nowNs)
    {
        _ids.Clear();
        foreach (var request in _requests.Values)
        {
            if (nowNs - request.SentNs >= _settings.TimeoutNs) _ids.Add(request.Id);
        }

        if (_ids.Count == 0) return;
        _ids.Sort();
        // The oldest last, so that it is asked for first.
        for (var i = _ids.Count - 1; i >= 0; i--)
        {
            var request = _requests[_ids[i]];
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, request.Source, RequestId: request.Id));
            _sources.OnOverdue(request.Source);
            if (request is { Priority: FetchPriority.Demand, IsHedge: false }) _hedges.OnDemand(nowNs - request.SentNs);
            GiveBack(request);
        }

        _sources.CountSilences(nowNs);
    }

    private void LoseUntrusted()
    {
        while (_sources.TryFindUntrusted(out var source, out var loss)) Lose(source, loss);
    }

    private void Lose(int source, SourceLoss loss)
    {
        if (!_sources.IsUp(source)) return;
        CollectIds(source);
        for (var i = _ids.Count - 1; i >= 0; i--)
        {
            var request = _requests[_ids[i]];
            _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, source, RequestId: request.Id));
            GiveBack(request);
        }

        _sources.Remove(source);
        _effects.Enqueue(new FetchEffect(FetchEffectKind.GiveUp, source, Loss: loss));
    }

    // In ascending order, so that a replay goes through them in the same one. -1 is all sources.
    private void CollectIds(int source)
    {
        _ids.Clear();
        foreach (var request in _requests.Values)
        {
            if (source < 0 || request.Source == source) _ids.Add(request.Id);
        }

        _ids.Sort();
    }

    private SourceRequest? NextHedge(long nowNs, long slowNs)
    {
        while (LongestWaited(nowNs, slowNs) is { } slow)
        {
            var pages = UnhedgedPages(slow);
            var source = ChooseForHedge(slow);
            if (pages > 0 && !_hedges.TrySpend(pages, _tally.DemandPages + _tally.BackgroundPages)) return null;
            slow.WaitedSinceNs = SourceRequest.NobodyWaits;
            if (pages > 0) return Hedge(slow, source, nowNs);
        }

        return null;
    }

    // Demand overtakes background at one and the same source, but not other demand.
    private int ChooseForHedge(SourceRequest slow)
    {
        var other = _sources.Choose(except: slow.Source);
        var isBetter = other >= 0 && (slow.Priority == FetchPriority.Demand || !_sources.IsSilent(other));
        return isBetter ? other : slow.Source;
    }

    private SourceRequest? LongestWaited(long nowNs, long slowNs)
    {
        SourceRequest? slow = null;
        foreach (var request in _requests.Values)
        {
            if (request.WaitedSinceNs == SourceRequest.NobodyWaits || nowNs - request.WaitedSinceNs < slowNs) continue;
            if (request.Priority == FetchPriority.Demand && _sources.Up < 2) continue;
            if (slow is null || (request.WaitedSinceNs, request.Id).CompareTo((slow.WaitedSinceNs, slow.Id)) < 0) slow = request;
        }

        return slow;
    }

    private int UnhedgedPages(SourceRequest request)
    {
        var pages = 0;
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++) pages += IsUnhedged(request.Id, range.Start.Plus(i)) ? 1 : 0;
        }

        return pages;
    }

    private bool IsUnhedged(ulong requestId, Gfn gfn)
    {
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, gfn.Value);
        return !Unsafe.IsNullRef(ref page) && page is { IsWaitedFor: true, Hedge: 0 } && page.Request == requestId;
    }

    private SourceRequest Hedge(SourceRequest slow, int source, long nowNs)
    {
        var hedge = NewRequest(source, FetchPriority.Demand, nowNs, isHedge: true);
        foreach (var range in slow.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var gfn = range.Start.Plus(i);
                if (!IsUnhedged(slow.Id, gfn)) continue;
                CollectionsMarshal.GetValueRefOrNullRef(_pages, gfn.Value).Hedge = hedge.Id;
                hedge.Add(gfn);
            }
        }

        Opened(hedge);
        return hedge;
    }
}
