using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

// The requests in flight, and where their pages go when they end.
public sealed partial class FetchCore
{
    // Pages of one request arrive together, so the request found last is usually the next one as well.
    private SourceRequest? RequestOf(ulong id)
    {
        if (_lastAsked?.Id == id)
            return _lastAsked;
        return _lastAsked = _requests.GetValueOrDefault(id);
    }

    private SourceRequest NewRequest(int source, FetchPriority priority, long nowNs, bool isHedge)
    {
        var request = _spareRequests.TryPop(out var spare) ? spare : new SourceRequest();
        request.Reset(_numbers.Next(), source, priority, nowNs, isHedge);
        _requests.Add(request.Id, request);
        return request;
    }

    // All pages of the request have been added: it is sent.
    private void Open(SourceRequest? request)
    {
        if (request is null)
            return;
        _tally.Requests++;
        _outstanding += request.Pages;
        if (request.Priority == FetchPriority.Background)
            _outstandingBackground += request.Pages;
        _sources.OnAsked(request.Source, request.Pages);
        _effects.Enqueue(new FetchEffect(FetchEffectKind.Ask, request.Source, Request: request));
    }

    private void Close(SourceRequest request)
    {
        _requests.Remove(request.Id);
        _lastAsked = null;
        _outstanding -= request.Pages;
        if (request.Priority == FetchPriority.Background)
            _outstandingBackground -= request.Pages;
        _sources.OnOver(request.Source, request.Pages);
        _spareRequests.Push(request);
    }

    // Ends a request. Pages that have not arrived and that no other request covers are queued again, at the front and
    // in their order.
    private void GiveBack(SourceRequest request)
    {
        for (var r = request.Ranges.Length - 1; r >= 0 && request.Wanted > 0; r--)
        {
            var range = request.Ranges[r];
            for (var i = range.Count; i-- > 0; )
                GiveBack(request.Id, range.Start.Plus(i));
        }

        Close(request);
    }

    private void GiveBack(ulong requestId, MemoryPage memoryPage)
    {
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
        if (Unsafe.IsNullRef(ref page))
            return;
        if (page.Request == requestId)
            (page.Request, page.Hedge) = (page.Hedge, 0);
        else if (page.Hedge == requestId)
            page.Hedge = 0;
        else
            return;
        if (page.IsOnItsWay)
            return;
        (page.IsWaitedFor ? _demand : _background).AddFirst(memoryPage);
        _tally.Retried++;
    }

    // Counters that may be updated once per page, kept in one struct so that an update is cheap.
    private Tally _tally;

    /// <summary>Counters since the start.</summary>
    public FetchCounters Counters =>
        new(
            _tally.DemandPages,
            _tally.BackgroundPages,
            _tally.Requests,
            _tally.Delivered,
            _tally.Zero,
            _tally.Duplicates,
            _tally.Promoted,
            _tally.Awaited,
            _tally.Merged,
            _hedges.Pages,
            _tally.Retried,
            _tally.Late,
            _tally.Bad
        );

    private struct Tally
    {
        public long DemandPages,
            BackgroundPages,
            Requests,
            Delivered,
            Zero,
            Duplicates,
            Promoted,
            Awaited,
            Merged,
            Retried,
            Late,
            Bad;
    }
}
