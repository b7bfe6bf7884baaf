using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

// The requests that are under way, and what becomes of their pages when they end.
public sealed partial class FetcherCore
{
    private static IEnumerable<Gfn> PagesOf(FetchRequest request) => request.Ranges.SelectMany(PageRuns.PagesOf);

    // Pages of one request come together, so the last one looked up is mostly the next.
    private FetchRequest? RequestOf(ulong id)
    {
        if (_lastAsked?.Id == id) return _lastAsked;
        return _lastAsked = _requests.GetValueOrDefault(id);
    }

    private FetchRequest NewRequest(int source, FetchPriority priority, long nowNs, bool isHedge)
    {
        var request = _spare.TryPop(out var spare) ? spare : new FetchRequest();
        request.Reset(_nextId++, source, priority, nowNs, isHedge);
        _requests.Add(request.Id, request);
        return request;
    }

    private void Opened(FetchRequest request)
    {
        _outstanding += request.Pages;
        if (request.Priority == FetchPriority.Background) _outstandingBackground += request.Pages;
        _sources[request.Source].Outstanding += request.Pages;
    }

    private void Close(FetchRequest request)
    {
        _requests.Remove(request.Id);
        _lastAsked = null;
        _outstanding -= request.Pages;
        if (request.Priority == FetchPriority.Background) _outstandingBackground -= request.Pages;
        _sources[request.Source].Outstanding -= request.Pages;
        _spare.Push(request);
    }

    // Ends a request. Pages that nobody has brought, and that no twin of this request still asks for, are queued again.
    private void GiveBack(FetchRequest request)
    {
        if (request.Arrived < request.Pages && Missing(request) > 0)
        {
            foreach (var gfn in PagesOf(request))
            {
                if (!IsOnItsWay(gfn) || AskedByAnother(gfn, request)) continue;
                var state = _pages[gfn.Value];
                _pages[gfn.Value] = state with { Place = Place.QueuedDemand, Request = 0 };
                _demand.Enqueue(gfn);
                _counters = _counters with { Retried = _counters.Retried + 1 };
            }
        }

        Close(request);
    }

    private int Missing(FetchRequest request)
    {
        var missing = 0;
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
            {
                if (_pages.TryGetValue(range.Start.Plus(i).Value, out var state) && state.Place == Place.OnItsWay
                    && (state.Request == request.Id || request.IsHedge || request.WasHedged))
                    missing++;
            }
        }

        return missing;
    }

    private bool AskedByAnother(Gfn gfn, FetchRequest request)
    {
        if (!request.IsHedge && !request.WasHedged) return _pages[gfn.Value].Request != request.Id;
        foreach (var other in _requests.Values)
        {
            if (other != request && other.Holds(gfn)) return true;
        }

        return false;
    }
}
