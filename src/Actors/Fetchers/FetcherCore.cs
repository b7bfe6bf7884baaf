using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// What a fetcher decides: which pages to ask of which source, and when. Demand goes before background; neighbours
/// travel in one request; a page on its way is not asked for again; a slow source is hedged to a replica and a lost one
/// failed over. Time is a parameter and no thread is started, so the simulator runs the same core.
/// </summary>
/// <remarks>
/// The intuition: a page is in one of three places - queued, on its way, or unknown here. Everything else is kept a
/// request, not a page. Requesters are small numbers that the shell gives out.
/// </remarks>
public sealed partial class FetcherCore(FetcherSettings settings)
{
    private readonly Dictionary<ulong, PageState> _pages = new(1024);
    private readonly Dictionary<ulong, FetchRequest> _requests = new(64);
    private readonly Dictionary<ulong, List<int>> _alsoWanted = [];
    private readonly Stack<FetchRequest> _spare = new();
    private readonly Queue<Gfn> _demand = new(256);
    private readonly Queue<Gfn> _background = new(256);
    private readonly List<SourceState> _sources = [];
    private readonly LatencyHistogram _latency = new();
    private readonly BackgroundRoom _room = new(settings.RequestPages, settings.BackgroundWindowPages, settings.DemandDelayNs);
    private readonly List<ulong> _overdue = [];
    private ulong _nextId = 1;
    private int _outstanding;
    private int _outstandingBackground;
    private FetcherCounters _counters;
    private long _delivered;
    private long _zero;
    private long _duplicates;
    private FetchRequest? _lastAsked;

    private enum Place : byte
    {
        QueuedDemand,
        QueuedBackground,
        OnItsWay,
    }

    /// <summary>What was done so far.</summary>
    public FetcherCounters Counters =>
        _counters with { Delivered = _delivered, Zero = _zero, Duplicates = _duplicates };

    /// <summary>Pages queued or on their way.</summary>
    public int PagesHeld => _pages.Count;

    /// <summary>Request latencies, from sending to the last page.</summary>
    public LatencyHistogram Latency => _latency;

    /// <summary>Can any source be asked?</summary>
    public bool HasSource => _sources.Exists(s => s.IsUp);

    /// <summary>Can this source be asked?</summary>
    public bool IsUp(int source) => _sources[source].IsUp;

    /// <summary>Adds a source; answers its number.</summary>
    /// <param name="isSpare">Is it asked only for hedges, and where the others are silent or gone?</param>
    public int AddSource(bool isSpare = false)
    {
        _sources.Add(new SourceState { IsSpare = isSpare });
        return _sources.Count - 1;
    }

    /// <summary>A source can be asked again.</summary>
    public void SourceIsUp(int source) => _sources[source] = new SourceState { IsSpare = _sources[source].IsSpare };

    /// <summary>
    /// A source is gone: what was asked of it goes back to the head of its queue. Nothing is lost, and nothing fails
    /// while another source is there.
    /// </summary>
    /// <returns>The requests that are given up, for the shell to cancel; valid until the next call.</returns>
    public IReadOnlyList<ulong> SourceIsDown(int source)
    {
        _sources[source].IsUp = false;
        _overdue.Clear();
        foreach (var request in _requests.Values)
        {
            if (request.Source == source) _overdue.Add(request.Id);
        }

        _overdue.Sort();
        foreach (var id in _overdue) GiveBack(_requests[id]);
        return _overdue;
    }

    /// <summary>Requests that a source has not answered, in ascending order.</summary>
    public IEnumerable<ulong> OutstandingAt(int source) =>
        _requests.Values.Where(r => r.Source == source).Select(static r => r.Id).Order();

    /// <summary>Somebody wants a page.</summary>
    /// <param name="gfn">The page.</param>
    /// <param name="priority">Does anybody wait for it?</param>
    /// <param name="requester">Who gets it.</param>
    public void Want(Gfn gfn, FetchPriority priority, int requester)
    {
        ref var state = ref CollectionsMarshal.GetValueRefOrAddDefault(_pages, gfn.Value, out var isHeld);
        if (!isHeld)
        {
            var place = priority == FetchPriority.Demand ? Place.QueuedDemand : Place.QueuedBackground;
            state = new PageState(place, requester, 0);
            (place == Place.QueuedDemand ? _demand : _background).Enqueue(gfn);
            return;
        }

        _counters = _counters with { Merged = _counters.Merged + 1 };
        if (state.Requester != requester) AlsoWanted(gfn, requester);
        if (priority == FetchPriority.Demand) Promote(gfn);
    }

    /// <summary>A queued background page becomes demand; anything else stays as it is.</summary>
    public void Promote(Gfn gfn)
    {
        if (!_pages.TryGetValue(gfn.Value, out var state) || state.Place != Place.QueuedBackground) return;
        // The old place in the background queue is left behind and skipped when it comes up.
        _pages[gfn.Value] = state with { Place = Place.QueuedDemand };
        _demand.Enqueue(gfn);
        _counters = _counters with { Promoted = _counters.Promoted + 1 };
    }

    /// <summary>Forgets background pages that were not asked for yet.</summary>
    public void CancelBackground()
    {
        while (_background.TryDequeue(out var gfn))
        {
            if (_pages.TryGetValue(gfn.Value, out var state) && state.Place == Place.QueuedBackground)
                Forget(gfn);
        }
    }

    /// <summary>
    /// The next request to send, or null where nothing is queued, the window is full, or no source is up. Call until
    /// null. The caller reads it and lets go; it stays the core's.
    /// </summary>
    public FetchRequest? NextRequest(long nowNs)
    {
        if (_outstanding >= settings.WindowPages) return null;
        return Take(_demand, Place.QueuedDemand, FetchPriority.Demand, nowNs)
            ?? (_outstandingBackground < _room.Pages
                ? Take(_background, Place.QueuedBackground, FetchPriority.Background, nowNs)
                : null);
    }

    /// <summary>
    /// A page has come. True where it was wanted: then <paramref name="requester"/> gets it, and so does everybody in
    /// <see cref="TakeAlsoWanted"/>. False where it is late or was never asked for: it is dropped.
    /// </summary>
    public bool OnPage(ulong requestId, Gfn gfn, PageContentKind kind, out int requester)
    {
        requester = -1;
        var request = RequestOf(requestId);
        var isHeld = _pages.TryGetValue(gfn.Value, out var state) && state.Place == Place.OnItsWay;
        if (request is null || (state.Request != requestId && !request.Holds(gfn)))
        {
            var wasOurs = request is null && requestId != 0 && requestId < _nextId;
            _counters = wasOurs
                ? _counters with { Late = _counters.Late + 1 }
                : _counters with { Bad = _counters.Bad + 1 };
            if (request is not null) Distrust(request);
            return false;
        }

        if (!isHeld)
        {
            _counters = _counters with { Late = _counters.Late + 1 };
            return false;
        }

        requester = state.Requester;
        request.Arrived++;
        _sources[request.Source].SilentTicks = 0;
        _pages.Remove(gfn.Value);
        _delivered++;
        if (kind == PageContentKind.Zero) _zero++;
        if (kind == PageContentKind.Duplicate) _duplicates++;
        return true;
    }

    /// <summary>Those besides the first requester who want a page that has come; null, mostly, where there are none.</summary>
    public List<int>? TakeAlsoWanted(Gfn gfn) =>
        _alsoWanted.Count != 0 && _alsoWanted.Remove(gfn.Value, out var others) ? others : null;

    /// <summary>
    /// The last batch of a request has been gone through. Pages that it promised and did not bring are asked for again.
    /// </summary>
    public void OnRequestDone(ulong requestId, long nowNs)
    {
        if (!_requests.TryGetValue(requestId, out var request)) return;
        _latency.Record(nowNs - request.SentNs);
        if (request.Priority == FetchPriority.Background) _room.OnBackground(isDemandWaiting: _outstanding > _outstandingBackground);
        else if (!request.IsHedge) _room.OnDemand(nowNs - request.SentNs);
        if (request.Arrived < request.Pages && Missing(request) > 0) Distrust(request);
        else if (!request.WasBad) Forgive(_sources[request.Source]);
        GiveBack(request);
    }

    /// <summary>A request ended without (the rest of) its pages; they go back to the head of the queue.</summary>
    /// <returns>True where the source should be treated as gone.</returns>
    public bool OnRequestFailed(ulong requestId, FetchFailure failure)
    {
        if (!_requests.TryGetValue(requestId, out var request)) return false;
        var source = request.Source;
        var lost = failure == FetchFailure.SourceLost;
        if (!lost && failure is not (FetchFailure.Cancelled or FetchFailure.NotNeeded)) Distrust(source);
        GiveBack(request);
        return lost || !_sources[source].IsUp;
    }

    /// <summary>
    /// A source held the pages of a background request for in place and did not send them: takes those that nobody else
    /// wants or asks for, so that the shell can tell their requesters. The request itself is still to be ended.
    /// </summary>
    public List<(Gfn Gfn, int Requester)> TakeNotNeeded(ulong requestId)
    {
        var taken = new List<(Gfn, int)>();
        if (!_requests.TryGetValue(requestId, out var request) || request.Priority != FetchPriority.Background) return taken;
        foreach (var gfn in PagesOf(request))
        {
            if (!IsOnItsWay(gfn) || AskedByAnother(gfn, request) || _alsoWanted.ContainsKey(gfn.Value)) continue;
            taken.Add((gfn, _pages[gfn.Value].Requester));
            _pages.Remove(gfn.Value);
        }

        return taken;
    }

    /// <summary>
    /// Where no source is up: takes everything that is held, so that the shell can tell the requesters that their pages
    /// will not come from here.
    /// </summary>
    public List<(Gfn Gfn, int Requester, FetchPriority Priority)> TakeAll()
    {
        var all = new List<(Gfn, int, FetchPriority)>(_pages.Count);
        foreach (var (gfn, state) in _pages)
        {
            var priority = state.Place == Place.QueuedBackground ? FetchPriority.Background : FetchPriority.Demand;
            all.Add((new Gfn(gfn), state.Requester, priority));
            if (TakeAlsoWanted(new Gfn(gfn)) is not { } others) continue;
            foreach (var other in others) all.Add((new Gfn(gfn), other, priority));
        }

        all.Sort((a, b) => a.Item1.CompareTo(b.Item1));
        _pages.Clear();
        _demand.Clear();
        _background.Clear();
        _requests.Clear();
        _lastAsked = null;
        foreach (var source in _sources) source.Outstanding = 0;
        (_outstanding, _outstandingBackground) = (0, 0);
        return all;
    }

    private FetchRequest? Take(Queue<Gfn> queue, Place place, FetchPriority priority, long nowNs)
    {
        if (queue.Count == 0) return null;
        var source = ChooseSource(except: -1);
        if (source < 0) return null;

        FetchRequest? request = null;
        while (queue.Count > 0 && (request is null || request.Pages < settings.RequestPages))
        {
            var gfn = queue.Dequeue();
            ref var state = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, gfn.Value);
            if (Unsafe.IsNullRef(ref state) || state.Place != place) continue;
            request ??= NewRequest(source, priority, nowNs, isHedge: false);
            state = state with { Place = Place.OnItsWay, Request = request.Id };
            request.Add(gfn);
        }

        if (request is null) return null;
        _counters = priority == FetchPriority.Demand
            ? _counters with { DemandPages = _counters.DemandPages + request.Pages, Requests = _counters.Requests + 1 }
            : _counters with { BackgroundPages = _counters.BackgroundPages + request.Pages, Requests = _counters.Requests + 1 };
        Opened(request);
        return request;
    }

    private bool IsOnItsWay(Gfn gfn) =>
        _pages.TryGetValue(gfn.Value, out var state) && state.Place == Place.OnItsWay;

    private void Forget(Gfn gfn)
    {
        _pages.Remove(gfn.Value);
        _alsoWanted.Remove(gfn.Value);
    }

    private void AlsoWanted(Gfn gfn, int requester)
    {
        if (!_alsoWanted.TryGetValue(gfn.Value, out var others)) _alsoWanted.Add(gfn.Value, others = []);
        if (!others.Contains(requester)) others.Add(requester);
    }

    private readonly record struct PageState(Place Place, int Requester, ulong Request);
}
