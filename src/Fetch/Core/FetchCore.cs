using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Decides which pages are requested from which source, and when: demand before background, neighbours in one request,
/// no page in flight requested twice except by a hedge, and another source when one is slow, silent, lost or wrong.
/// Events go in, effects come out (<see cref="TryTakeEffect"/>). It has no clock (time is a parameter) and no thread
/// (one owner calls it). Once the tables have grown, nothing is allocated per page.
/// </summary>
/// <remarks>
/// <para>
/// A page is queued, in flight, or unknown here. All other state is kept per request, not per page. Requesters are
/// small numbers that the shell assigns.
/// </para>
/// <para>
/// When a background page in flight becomes demand, it is requested again alone and as demand, which overtakes the
/// requests queued at a source, if demand usually arrives sooner than the rest of the background request will.
/// Otherwise its background request is watched as if it were demand, and hedged if it is slow. Both kinds of second
/// request are hedges and count against the hedge budget.
/// </para>
/// </remarks>
public sealed partial class FetchCore
{
    private readonly FetchSettings _settings;
    private readonly RequestNumbers _numbers;
    private readonly Dictionary<ulong, PendingPage> _pages = new(1024);
    private readonly Dictionary<ulong, SourceRequest> _requests = new(64);
    private readonly Stack<SourceRequest> _spareRequests = new();
    private readonly RequesterChains _others = new();
    private readonly PageQueue _demand = new();
    private readonly PageQueue _background = new();
    private readonly PageQueue _again = new();
    private readonly SourceTable _sources;
    private readonly BackgroundRoom _room;
    private readonly Hedges _hedges;
    private readonly Queue<FetchEffect> _effects = new(16);
    private readonly List<ulong> _ids = [];
    private readonly List<(int Requester, PageBatch Batch)> _shared = [];
    private SourceRequest? _lastAsked;
    private int _outstanding;
    private int _outstandingBackground;

    /// <summary>An engine without sources.</summary>
    /// <param name="settings">Sizes, timeouts and hedging.</param>
    /// <param name="numbers">The source of request ids; null if no other engine shares the connections.</param>
    public FetchCore(FetchSettings settings, RequestNumbers? numbers = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _numbers = numbers ?? new RequestNumbers();
        _sources = new SourceTable(settings);
        _room = new BackgroundRoom(settings.RequestPages, settings.BackgroundWindowPages, settings.DemandDelayNs);
        _hedges = new Hedges(settings);
    }

    /// <summary>Pages queued or in flight.</summary>
    public int PagesHeld => _pages.Count;

    /// <summary>Background pages among <see cref="PagesHeld"/>.</summary>
    public int BackgroundHeld { get; private set; }

    /// <summary>Requests that have not ended.</summary>
    public int RequestsOpen => _requests.Count;

    /// <summary>Is any source up?</summary>
    public bool HasSource => _sources.Up > 0;

    /// <summary>Request latencies, from sending to the last page.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>Is this source up?</summary>
    public bool IsUp(int source) => _sources.IsUp(source);

    /// <summary>The next effect, in order. The shell performs all effects before the next event.</summary>
    public bool TryTakeEffect(out FetchEffect effect) => _effects.TryDequeue(out effect);

    /// <summary>A requester wants pages.</summary>
    /// <param name="pages">The pages, in the order wanted.</param>
    /// <param name="priority">Demand if a vCPU waits for them.</param>
    /// <param name="requester">The requester that receives the pages.</param>
    /// <param name="nowNs">The time.</param>
    /// <returns>The number of pages that this requester had not requested before.</returns>
    public int Want(MemoryPageRange pages, FetchPriority priority, int requester, long nowNs)
    {
        var added = 0;
        var isWaitedFor = priority == FetchPriority.Demand;
        for (ulong i = 0; i < pages.Count; i++)
        {
            var memoryPage = pages.Start.Plus(i);
            ref var page = ref CollectionsMarshal.GetValueRefOrAddDefault(_pages, memoryPage.Value, out var isHeld);
            if (!isHeld)
            {
                page = new PendingPage { Requester = requester, IsWaitedFor = isWaitedFor };
                if (!isWaitedFor)
                    BackgroundHeld++;
                (isWaitedFor ? _demand : _background).Add(memoryPage);
                added++;
                continue;
            }

            _tally.Merged++;
            if (page.Requester != requester && _others.Add(ref page.OtherRequesters, requester))
                added++;
            if (isWaitedFor)
                WaitFor(memoryPage, ref page, nowNs);
        }

        return added;
    }

    /// <summary>A page that was requested as background becomes demand. Ignored if the page is not held.</summary>
    public void Promote(MemoryPage memoryPage, long nowNs)
    {
        ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
        if (!Unsafe.IsNullRef(ref page))
            WaitFor(memoryPage, ref page, nowNs);
    }

    /// <summary>Forgets background pages that are still queued.</summary>
    public void CancelBackground()
    {
        while (_background.TryTake(out var memoryPage))
        {
            ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
            if (!Unsafe.IsNullRef(ref page) && page is { IsOnItsWay: false, IsWaitedFor: false })
                Forget(memoryPage, ref page);
        }
    }

    /// <summary>
    /// A requester no longer wants pages. Pages without another requester are forgotten, and a request is cancelled
    /// when none of its pages is wanted.
    /// </summary>
    public void Abandon(MemoryPageRange pages, int requester)
    {
        for (ulong i = 0; i < pages.Count; i++)
        {
            var memoryPage = pages.Start.Plus(i);
            ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
            if (Unsafe.IsNullRef(ref page))
                continue;
            if (page.Requester != requester)
            {
                _others.Remove(ref page.OtherRequesters, requester);
                continue;
            }

            if (_others.TryTakeFirst(ref page.OtherRequesters, out page.Requester))
                continue;
            var (request, hedge) = (page.Request, page.Hedge);
            Forget(memoryPage, ref page);
            Unneed(request);
            Unneed(hedge);
        }
    }

    /// <summary>
    /// Makes the requests that are due. To be called after every event, or after several events that belong together.
    /// </summary>
    public void Decide(long nowNs)
    {
        AskAgain(nowNs);
        while (TryAsk(nowNs)) { }
    }

    /// <summary>
    /// When no source is left: fails every page held, so that the requesters learn that this engine cannot fetch it.
    /// </summary>
    public void FailAll()
    {
        _ids.Clear();
        _ids.AddRange(_pages.Keys);
        _ids.Sort();
        foreach (var memoryPage in _ids)
        {
            ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage);
            var priority = page.IsWaitedFor ? FetchPriority.Demand : FetchPriority.Background;
            var requester = page.Requester;
            do
            {
                _effects.Enqueue(
                    new FetchEffect(
                        FetchEffectKind.Fail,
                        Requester: requester,
                        Page: new MemoryPage(memoryPage),
                        Priority: priority
                    )
                );
            } while (_others.TryTakeFirst(ref page.OtherRequesters, out requester));
        }

        foreach (var request in _requests.Values)
            _sources.OnOver(request.Source, request.Pages);
        _pages.Clear();
        _requests.Clear();
        _demand.Clear();
        _background.Clear();
        _again.Clear();
        _lastAsked = null;
        (_outstanding, _outstandingBackground, BackgroundHeld) = (0, 0, 0);
    }

    // A background page has become demand.
    private void WaitFor(MemoryPage memoryPage, ref PendingPage page, long nowNs)
    {
        if (page.IsWaitedFor)
            return;
        page.IsWaitedFor = true;
        BackgroundHeld--;
        if (page.IsOnItsWay)
        {
            _tally.Awaited++;
            if (RequestOf(page.Request) is not { } request)
                return;
            request.WaitedSinceNs = Math.Min(request.WaitedSinceNs, nowNs);
            if (_hedges.IsDemandSooner(nowNs - request.SentNs))
                _again.Add(memoryPage);
            return;
        }

        // The page's old entry stays in the background queue and is skipped when it comes up.
        _demand.Add(memoryPage);
        _tally.Promoted++;
    }

    private bool TryAsk(long nowNs)
    {
        if (_outstanding >= _settings.WindowPages)
            return false;
        return TryAsk(_demand, FetchPriority.Demand, nowNs)
            || (_outstandingBackground < _room.Pages && TryAsk(_background, FetchPriority.Background, nowNs));
    }

    private bool TryAsk(PageQueue queue, FetchPriority priority, long nowNs)
    {
        if (queue.Count == 0)
            return false;
        var isDemand = priority == FetchPriority.Demand;
        var maxPages = _settings.RequestPages;
        var source = isDemand ? -1 : _sources.ChooseForTrial(nowNs);
        if (source >= 0)
            maxPages = 1;
        else
            source = _sources.Choose(except: -1);
        if (source < 0)
            return false;

        SourceRequest? request = null;
        while ((request is null || request.Pages < maxPages) && queue.TryTake(out var memoryPage))
        {
            ref var page = ref CollectionsMarshal.GetValueRefOrNullRef(_pages, memoryPage.Value);
            if (Unsafe.IsNullRef(ref page) || page.IsOnItsWay || page.IsWaitedFor != isDemand)
                continue;
            request ??= NewRequest(source, priority, nowNs, isHedge: false);
            page.Request = request.Id;
            request.Add(memoryPage);
        }

        if (request is null)
            return false;
        if (isDemand)
            _tally.DemandPages += request.Pages;
        else
            _tally.BackgroundPages += request.Pages;
        Open(request);
        return true;
    }

    private void Forget(MemoryPage memoryPage, ref PendingPage page)
    {
        if (!page.IsWaitedFor)
            BackgroundHeld--;
        while (_others.TryTakeFirst(ref page.OtherRequesters, out _)) { }

        _pages.Remove(memoryPage.Value);
    }

    // One page of this request is no longer wanted. When none is wanted, the request is cancelled.
    private void Unneed(ulong requestId)
    {
        if (requestId == 0 || RequestOf(requestId) is not { } request || --request.Wanted > 0)
            return;
        _effects.Enqueue(new FetchEffect(FetchEffectKind.Cancel, request.Source, RequestId: requestId));
        Close(request);
    }
}
