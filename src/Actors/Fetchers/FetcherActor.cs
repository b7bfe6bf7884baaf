using Akka.Actor;
using Akka.Event;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// Owns connections to page sources and asks them for pages. Holds nothing that cannot be asked for again, so its
/// supervisor restarts it freely: its requesters are told by the pool and ask once more.
/// </summary>
public sealed class FetcherActor : UntypedActor
{
    private readonly ulong _number;
    private readonly FetcherSettings _settings;
    private readonly FetcherCore _core;
    private readonly IGuestTime _time;
    private readonly List<Connection> _sources = [];
    private readonly List<IActorRef> _requesters = [];
    private readonly List<(int Source, ulong RequestId)> _cancels = [];
    private readonly Dictionary<int, PageBatch> _sharing = [];
    private readonly IActorRef? _broadcast;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private GfnRange[] _ranges = new GfnRange[64];
    private ICancelable? _tick;

    /// <summary>See <see cref="Props"/>.</summary>
    public FetcherActor(
        ulong number, FetcherSettings settings, IReadOnlyList<Func<IPageSource>> sources, IActorRef? broadcast,
        IGuestTime? time)
    {
        _time = time ?? new SchedulerTime(Context.System.Scheduler);
        _number = number;
        _settings = settings;
        _core = new FetcherCore(settings);
        _broadcast = broadcast;
        foreach (var open in sources) Add(open());
    }

    private long NowNs => _time.NowNs;

    /// <summary>A fetcher.</summary>
    /// <param name="number">Its number, for routes and reports.</param>
    /// <param name="settings">How it asks.</param>
    /// <param name="sources">Opens a source; called anew when the fetcher is restarted.</param>
    /// <param name="broadcast">Is told <see cref="BitsCleared"/> by the memslots through here, for other nodes; null where there are none.</param>
    /// <param name="time">The clock that also drives the sources' completions; null is the scheduler's.</param>
    public static Props Props(
        ulong number, FetcherSettings settings, IReadOnlyList<Func<IPageSource>> sources, IActorRef? broadcast = null,
        IGuestTime? time = null) =>
        Akka.Actor.Props.Create(() => new FetcherActor(number, settings, sources, broadcast, time));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        if (_settings.TickNs <= 0) return;
        var every = TimeSpan.FromTicks(_settings.TickNs / 100);
        _tick = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            every, every, Self, FetcherProtocol.Tick.Instance, ActorRefs.NoSender);
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        // The pool tells who waits to ask again: a restarted fetcher knows of nothing.
        Context.Parent.Tell(new FetcherPoolProtocol.FetcherRestarted(_number));
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _tick?.Cancel();
        foreach (var connection in _sources)
        {
            // Where a source is shared, letting go of it ends no request, and its pages would travel for nobody.
            foreach (var request in _core.OutstandingAt(connection.Number)) connection.Source.Cancel(request);
            connection.Source.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case FetcherProtocol.Answered answered when IsOwn(answered.From):
                OnAnswered(answered);
                break;
            case FetcherProtocol.Answered answered:
                answered.Batch.Release();
                break;
            case FetcherProtocol.FetchPages fetch:
                OnFetch(fetch);
                break;
            case FetcherProtocol.Tick:
                OnTick();
                break;
            case FetcherProtocol.RequestFailed failed:
                if (IsOwn(failed.From)) OnRequestFailed(failed);
                break;
            case FetcherProtocol.BroadcastClears broadcast:
                _broadcast?.Forward(broadcast.Clears);
                break;
            case FetcherProtocol.Promote promote:
                _core.Promote(promote.Gfn);
                SendRequests();
                break;
            case FetcherProtocol.CancelBackground:
                _core.CancelBackground();
                break;
            case FetcherProtocol.AddSource add:
                Add(add.Source, add.IsSpare);
                SendRequests();
                break;
            case FetcherProtocol.RemoveSource remove:
                OnRemoveSource(remove);
                break;
            case FetcherProtocol.GetReport:
                Sender.Tell(new FetcherReport(
                    _number, _core.Counters, _core.Latency.Snapshot(),
                    [.. _sources.Where(s => s.IsUp).Select(s => s.Source.Name)]));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    // What a connection says that this actor had before a restart is about requests that nobody knows any more; their
    // numbers may be in use again.
    private bool IsOwn(IPageSink from) => from is Connection connection && _sources.Contains(connection);

    private void OnFetch(FetcherProtocol.FetchPages fetch)
    {
        var requester = NumberOf(Sender);
        foreach (var range in fetch.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++) _core.Want(range.Start.Plus(i), fetch.Priority, requester);
        }

        SendRequests();
    }

    private void OnAnswered(FetcherProtocol.Answered answered)
    {
        var batch = answered.Batch;
        var requestId = batch.RequestId;
        var isLast = batch.IsLast;
        var owner = -1;
        var kept = 0;
        for (var i = 0; i < batch.Count; i++)
        {
            ref readonly var page = ref batch[i];
            if (!_core.OnPage(requestId, page.Gfn, page.Kind, out var requester)) continue;
            if (owner < 0) owner = requester;
            if (requester == owner)
                batch.Move(i, kept++);
            else
                Share(requester, batch, page);
            if (_core.TakeAlsoWanted(page.Gfn) is { } others)
            {
                foreach (var other in others) Share(other, batch, page);
            }
        }

        batch.Truncate(kept);
        foreach (var (requester, shared) in _sharing) _requesters[requester].Tell(new PagesFetched(shared));
        _sharing.Clear();
        if (kept > 0)
            _requesters[owner].Tell(new PagesFetched(batch));
        else
            batch.Release();
        if (isLast) _core.OnRequestDone(requestId, NowNs);
        SendRequests();
    }

    private void Share(int requester, PageBatch batch, in PageContent page)
    {
        if (!_sharing.TryGetValue(requester, out var shared)) _sharing.Add(requester, shared = batch.NewSibling());
        shared.AddCopy(page);
    }

    private void OnRequestFailed(FetcherProtocol.RequestFailed failed)
    {
        var connection = (Connection)failed.From;
        if (failed.Failure == FetchFailure.NotNeeded) TellNotSent(failed.RequestId);
        if (_core.OnRequestFailed(failed.RequestId, failed.Failure))
            Lose(connection.Number, $"{connection.Source.Name}: {failed.Failure}");
        SendRequests();
    }

    private void TellNotSent(ulong requestId)
    {
        foreach (var group in _core.TakeNotNeeded(requestId).GroupBy(p => p.Requester))
            _requesters[group.Key].Tell(new PagesNotSent([.. group.Select(p => p.Gfn)]));
    }

    private void OnRemoveSource(FetcherProtocol.RemoveSource remove)
    {
        var source = _sources.FindIndex(s => s.IsUp && s.Source.Name == remove.Name);
        if (source < 0) return;
        Lose(source, $"{remove.Name}: {remove.Reason}");
        SendRequests();
    }

    private void Lose(int source, string reason)
    {
        var connection = _sources[source];
        if (!connection.IsUp) return;
        connection.IsUp = false;
        // What was asked of it is asked of another: where it is shared, its pages would travel for nobody.
        foreach (var request in _core.SourceIsDown(source)) connection.Source.Cancel(request);
        connection.Source.GiveUp();
        // A spare is another fetcher's own source, which says so.
        if (!connection.IsSpare) _log.Warning("fetcher {0} lost a page source: {1}", _number, reason);
    }

    private void LoseDistrusted()
    {
        for (var i = 0; i < _sources.Count; i++)
        {
            if (!_core.IsUp(i)) Lose(i, $"{_sources[i].Source.Name}: its answers are wrong or do not come");
        }
    }

    private void OnTick()
    {
        var now = NowNs;
        _cancels.Clear();
        _core.OnTick(now, _cancels);
        foreach (var (source, requestId) in _cancels)
        {
            if (_sources[source].IsUp) _sources[source].Source.Cancel(requestId);
        }

        LoseDistrusted();
        while (_core.NextHedge(now) is { } hedge) Send(hedge);
        SendRequests();
    }

    private void SendRequests()
    {
        while (_core.NextRequest(NowNs) is { } request) Send(request);
        if (!_core.HasSource && _core.PagesHeld > 0) GiveUp();
    }

    private void Send(FetchRequest request)
    {
        if (_ranges.Length < request.Ranges.Count) _ranges = new GfnRange[request.Ranges.Count];
        for (var i = 0; i < request.Ranges.Count; i++) _ranges[i] = request.Ranges[i];
        var connection = _sources[request.Source];
        connection.Source.Request(
            new PageRequest(request.Id, request.Priority, request.SentNs), _ranges.AsSpan(0, request.Ranges.Count), connection);
    }

    private void GiveUp()
    {
        const string reason = "no page source is left";
        LoseDistrusted();
        foreach (var group in _core.TakeAll().GroupBy(p => p.Requester))
            _requesters[group.Key].Tell(new FetchFailed(reason, [.. group.Select(p => p.Gfn)]));
    }

    private void Add(IPageSource source, bool isSpare = false)
    {
        var number = _core.AddSource(isSpare);
        _sources.Add(new Connection(number, source, Self, isSpare));
    }

    private int NumberOf(IActorRef requester)
    {
        for (var i = 0; i < _requesters.Count; i++)
        {
            if (_requesters[i].Equals(requester)) return i;
        }

        _requesters.Add(requester);
        return _requesters.Count - 1;
    }

    // Answers come on the source's thread, or on this actor's own within Request: they become messages either way.
    private sealed class Connection(int number, IPageSource source, IActorRef fetcher, bool isSpare) : IPageSink
    {
        public bool IsSpare { get; } = isSpare;

        public int Number { get; } = number;

        public IPageSource Source { get; } = source;

        public bool IsUp { get; set; } = true;

        public void OnPages(PageBatch batch) => fetcher.Tell(new FetcherProtocol.Answered(this, batch), ActorRefs.NoSender);

        public void OnFailed(ulong requestId, FetchFailure failure) =>
            fetcher.Tell(new FetcherProtocol.RequestFailed(this, requestId, failure), ActorRefs.NoSender);
    }
}
