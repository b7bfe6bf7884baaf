using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

// Hedges, which are second requests for the same pages: for slow demand requests, and for background pages in flight
// that a vCPU now waits for.
public sealed partial class FetchCore
{
    private void HedgeSlow(long nowNs)
    {
        var slowNs = _hedges.SlowNs();
        if (slowNs == long.MaxValue)
            return;
        while (LongestWaited(nowNs, slowNs) is { } slow)
        {
            var pages = UnhedgedPages(slow);
            if (pages > 0 && !TrySpend(pages))
                return;
            slow.WaitedSinceNs = SourceRequest.NobodyWaits;
            if (pages > 0)
                Hedge(slow, nowNs);
        }
    }

    // Background pages in flight that became demand since the last call. Pages that share one background request also
    // share one hedge.
    private void AskAgain(long nowNs)
    {
        SourceRequest? hedge = null;
        ulong slowId = 0;
        while (_again.TryTake(out var memoryPage))
        {
            ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
            if (Unsafe.IsNullRef(ref page) || page is not { IsOnItsWay: true, IsWaitedFor: true, Hedge: 0 })
                continue;
            if (RequestOf(page.Request) is not { IsHedge: false } slow || !TrySpend(1))
                continue;
            if (hedge is null || slowId != slow.Id)
            {
                Open(hedge);
                hedge = NewRequest(ChooseForHedge(slow), FetchPriority.Demand, nowNs, isHedge: true);
                slowId = slow.Id;
            }

            page.Hedge = hedge.Id;
            hedge.Add(memoryPage);
        }

        Open(hedge);
    }

    private bool TrySpend(int pages) => _hedges.TrySpend(pages, _tally.DemandPages + _tally.BackgroundPages);

    // At the same source, demand overtakes background but not other demand.
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
            if (request.WaitedSinceNs == SourceRequest.NobodyWaits || nowNs - request.WaitedSinceNs < slowNs)
                continue;
            if (request.Priority == FetchPriority.Demand && _sources.Up < 2)
                continue;
            if (slow is null || (request.WaitedSinceNs, request.Id).CompareTo((slow.WaitedSinceNs, slow.Id)) < 0)
                slow = request;
        }

        return slow;
    }

    private int UnhedgedPages(SourceRequest request)
    {
        var pages = 0;
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
                pages += IsUnhedged(request.Id, range.Start.Plus(i)) ? 1 : 0;
        }

        return pages;
    }

    private bool IsUnhedged(ulong requestId, MemoryPage memoryPage)
    {
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
        return !Unsafe.IsNullRef(ref page) && page is { IsWaitedFor: true, Hedge: 0 } && page.Request == requestId;
    }

    private void Hedge(SourceRequest slow, long nowNs)
    {
        var hedge = NewRequest(ChooseForHedge(slow), FetchPriority.Demand, nowNs, isHedge: true);
        foreach (var range in slow.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                var memoryPage = range.Start.Plus(i);
                if (!IsUnhedged(slow.Id, memoryPage))
                    continue;
                CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value).Hedge = hedge.Id;
                hedge.Add(memoryPage);
            }
        }

        Open(hedge);
    }
}
