using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch;

// The requests that are under way, and what becomes of their pages when they end.
public sealed partial class FetchCore
{
    // Pages of one request come together, so the last one looked up is mostly the next.
    private SourceRequest? RequestOf(ulong id)
    {
        if (_lastAsked?.Id == id) return _lastAsked;
        return _lastAsked = _requests.GetValueOrDefault(id);
    }

    private SourceRequest NewRequest(int source, FetchPriority priority, long nowNs, bool isHedge)
    {
        var request = _spareRequests.TryPop(out var spare) ? spare : new SourceRequest();
        request.Reset(_numbers.Next(), source, priority, nowNs, isHedge);
        _requests.Add(request.Id, request);
        return request;
    }

    private void Opened(SourceRequest request)
    {
        _tally.Requests++;
        _outstanding += request.Pages;
        if (request.Priority == FetchPriority.Background) _outstandingBackground += request.Pages;
        _sources.OnAsked(request.Source, request.Pages);
    }

    private void Close(SourceRequest request)
    {
        _requests.Remove(request.Id);
        _lastAsked = null;
        _outstanding -= request.Pages;
        if (request.Priority == FetchPriority.Background) _outstandingBackground -= request.Pages;
        _sources.OnOver(request.Source, request.Pages);
        _spareRequests.Push(request);
    }

    // Ends a request. Pages that it has not brought, and that no other request asks for, are queued again, before others and in
    // their order.
    private void GiveBack(SourceRequest request)
    {
        for (var r = request.Ranges.Length - 1; r >= 0 && request.Wanted > 0; r--)
        {
            var range = request.Ranges[r];
            for (var i = range.Count; i-- > 0;) GiveBack(request.Id, range.Start.Plus(i));
        }

        Close(request);
    }

    private void GiveBack(ulong requestId, Gfn gfn)
    {
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, gfn.Value);
        if (Unsafe.IsNullRef(ref page)) return;
        if (page.Request == requestId) (page.Request, page.Hedge) = (page.Hedge, 0);
        else if (page.Hedge == requestId) page.Hedge = 0;
        else return;
        if (page.IsOnItsWay) return;
        (page.IsWaitedFor ? _demand : _background).AddFirst(gfn);
        _tally.Retried++;
    }

    // What can be counted a page, in one place that is cheap to write.
    private Tally _tally;

    /// <summary>What was done so far.</summary>
    public FetchCounters Counters => new(
        _tally.DemandPages, _tally.BackgroundPages, _tally.Requests, _tally.Delivered, _tally.Zero, _tally.Duplicates,
        _tally.Promoted, _tally.Awaited, _tally.Merged, _hedges.Pages, _tally.Retried, _tally.Late, _tally.Bad);

    private struct Tally
    {
        public long DemandPages, BackgroundPages, Requests, Delivered, Zero, Duplicates, Promoted, Awaited, Merged, Retried, Late, Bad;
    }
}
