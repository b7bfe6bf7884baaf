using Akka.Actor;
using Akka.Event;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Owns connections to page sources and requests pages from them as the fetch engine decides (<see cref="FetchCore"/>).
/// It holds nothing that cannot be requested again, so its supervisor restarts it freely: the pool then asks the
/// requesters to repeat their requests.
/// </summary>
internal sealed class FetcherActor : UntypedActor
{
    private readonly ulong _number;
    private readonly FetchSettings _settings;
    private readonly FetchCore _core;
    private readonly IGuestTime _time;
    private readonly List<Connection> _sources = [];
    private readonly List<IActorRef> _requesters = [];
    private readonly Dictionary<IActorRef, int> _requesterNumbers = new(ReferenceEqualityComparer.Instance);

    // By requester; nothing is removed but all of it, so that the order is that of the engine.
    private readonly Dictionary<int, List<MemoryPage>> _notSent = [];
    private readonly Dictionary<int, List<MemoryPage>> _failed = [];
    private readonly IActorRef? _broadcast;
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ICancelable? _tick;

    /// <summary>See <see cref="Props"/>.</summary>
    public FetcherActor(
        ulong number,
        FetchSettings settings,
        IReadOnlyList<Func<IPageSource>> sources,
        IActorRef? broadcast,
        IGuestTime? time
    )
    {
        _time = time ?? new SchedulerTime(Context.System.Scheduler);
        _number = number;
        _settings = settings;
        _core = new FetchCore(settings);
        _broadcast = broadcast;
        foreach (var open in sources)
            Add(open());
    }

    private long NowNs => _time.NowNs;

    /// <summary>A fetcher.</summary>
    /// <param name="number">Its number, for routes and reports.</param>
    /// <param name="settings">The settings of its fetch engine.</param>
    /// <param name="sources">Each opens one source; called again when the fetcher is restarted.</param>
    /// <param name="broadcast">Receives <see cref="BitsCleared"/> from memslots by way of this fetcher, for other
    /// nodes; null if there are no other nodes.</param>
    /// <param name="time">The clock that also drives the sources' completions; null for the scheduler's.</param>
    public static Props Props(
        ulong number,
        FetchSettings settings,
        IReadOnlyList<Func<IPageSource>> sources,
        IActorRef? broadcast = null,
        IGuestTime? time = null
    ) => Akka.Actor.Props.Create(() => new FetcherActor(number, settings, sources, broadcast, time));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        if (_settings.TickNs <= 0)
            return;
        var every = TimeSpan.FromTicks(_settings.TickNs / 100);
        _tick = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            every,
            every,
            Self,
            FetcherProtocol.Tick.Instance,
            ActorRefs.NoSender
        );
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason)
    {
        base.PostRestart(reason);
        // The pool asks the requesters to repeat their requests: a restarted fetcher has no state.
        Context.Parent.Tell(new FetcherPoolProtocol.FetcherRestarted(_number));
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _tick?.Cancel();
        // Disposing a shared source ends no request: without these cancellations the source would still send the pages.
        _core.CancelAll();
        while (_core.TryTakeEffect(out var effect))
        {
            if (effect.Kind == FetchEffectKind.Cancel)
                _sources[effect.Source].Source.Cancel(effect.RequestId);
            else
                effect.Batch?.Release();
        }

        foreach (var connection in _sources)
            connection.Source.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case FetcherProtocol.Answered answered when IsOwn(answered.From):
                var nowNs = NowNs;
                _core.OnAnswer(answered.Batch, nowNs);
                Go(nowNs);
                break;
            case FetcherProtocol.Answered answered:
                answered.Batch.Release();
                break;
            case FetcherProtocol.FetchPages fetch:
                OnFetch(fetch);
                break;
            case FetcherProtocol.Tick:
                var tickNs = NowNs;
                _core.OnTick(tickNs);
                Go(tickNs);
                break;
            case FetcherProtocol.RequestFailed failed:
                if (!IsOwn(failed.From))
                    break;
                _core.OnFailed(failed.RequestId, failed.Failure);
                Go(NowNs);
                break;
            case FetcherProtocol.BroadcastClears broadcast:
                _broadcast?.Forward(broadcast.Clears);
                break;
            case FetcherProtocol.Promote promote:
                var wantedNs = NowNs;
                _core.Promote(promote.Page, wantedNs);
                Go(wantedNs);
                break;
            case FetcherProtocol.CancelBackground:
                _core.CancelBackground();
                break;
            case FetcherProtocol.AddSource add:
                Add(add.Source, add.IsSpare);
                Go(NowNs);
                break;
            case FetcherProtocol.RemoveSource remove:
                OnRemoveSource(remove);
                break;
            case FetcherProtocol.GetReport:
                Sender.Tell(
                    new FetcherReport(
                        _number,
                        _core.Counters,
                        _core.Latency.Snapshot(),
                        [.. _sources.Where(s => s.IsUp).Select(s => s.Source.Name)]
                    )
                );
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    // A connection from before a restart may still deliver answers. Their requests are unknown here, and their ids may
    // be in use again.
    private bool IsOwn(IPageSink from) => from is Connection connection && _sources.Contains(connection);

    private void OnFetch(FetcherProtocol.FetchPages fetch)
    {
        var requester = NumberOf(Sender);
        var nowNs = NowNs;
        foreach (var range in fetch.Ranges)
            _core.Want(range, fetch.Priority, requester, nowNs);
        Go(nowNs);
    }

    private void OnRemoveSource(FetcherProtocol.RemoveSource remove)
    {
        var source = _sources.FindIndex(s => s.IsUp && s.Source.Name == remove.Name);
        if (source < 0)
            return;
        _sources[source].Reason = remove.Reason;
        _core.RemoveSource(source);
        Go(NowNs);
    }

    private void Go(long nowNs)
    {
        _core.Decide(nowNs);
        Perform();
        if (_core.HasSource || _core.PagesHeld == 0)
            return;
        _core.FailAll();
        Perform();
    }

    private void Perform()
    {
        while (_core.TryTakeEffect(out var effect))
        {
            switch (effect.Kind)
            {
                case FetchEffectKind.Ask:
                    var request = effect.Request!;
                    var asked = _sources[effect.Source];
                    asked.Source.Request(
                        new PageRequest(request.Id, request.Priority, request.SentNs),
                        request.Ranges,
                        asked
                    );
                    break;
                case FetchEffectKind.Cancel:
                    _sources[effect.Source].Source.Cancel(effect.RequestId);
                    break;
                case FetchEffectKind.GiveUp:
                    GiveUp(_sources[effect.Source], effect.Loss);
                    break;
                case FetchEffectKind.Deliver:
                    _requesters[effect.Requester].Tell(new PagesFetched(effect.Batch!));
                    break;
                case FetchEffectKind.NotSent:
                    Note(_notSent, effect);
                    break;
                default:
                    Note(_failed, effect);
                    break;
            }
        }

        foreach (var (requester, pages) in _notSent)
            _requesters[requester].Tell(new PagesNotSent(pages));
        foreach (var (requester, pages) in _failed)
            _requesters[requester].Tell(new FetchFailed(PauseReasons.NoSourceLeft, pages));
        _notSent.Clear();
        _failed.Clear();
    }

    // The engine reports page by page; each requester gets one message.
    private static void Note(Dictionary<int, List<MemoryPage>> notes, in FetchEffect effect)
    {
        if (!notes.TryGetValue(effect.Requester, out var pages))
            notes.Add(effect.Requester, pages = []);
        pages.Add(effect.Page);
    }

    private void GiveUp(Connection connection, SourceLoss loss)
    {
        connection.IsUp = false;
        connection.Source.GiveUp();
        // A spare is the regular source of another fetcher, which logs the loss.
        if (connection.IsSpare)
            return;
        var reason = loss switch
        {
            SourceLoss.ConnectionLost => "its connection is lost",
            SourceLoss.BadAnswers => "its answers are wrong",
            SourceLoss.Silent => "its answers do not come",
            _ => connection.Reason,
        };
        _log.Warning(
            "fetcher {Fetcher} gives up page source {Source}: {Reason}",
            _number,
            connection.Source.Name,
            reason
        );
    }

    private void Add(IPageSource source, bool isSpare = false)
    {
        var number = _core.AddSource(isSpare);
        var connection = new Connection(source, Self, isSpare);
        if (number < _sources.Count)
            _sources[number] = connection;
        else
            _sources.Add(connection);
    }

    private int NumberOf(IActorRef requester)
    {
        if (_requesterNumbers.TryGetValue(requester, out var number))
            return number;
        _requesters.Add(requester);
        _requesterNumbers.Add(requester, _requesters.Count - 1);
        return _requesters.Count - 1;
    }

    // Answers arrive on the source's thread, or on this actor's within Request: either way they become messages.
    private sealed class Connection(IPageSource source, IActorRef fetcher, bool isSpare) : IPageSink
    {
        public bool IsSpare { get; } = isSpare;

        public IPageSource Source { get; } = source;

        public bool IsUp { get; set; } = true;

        public string Reason { get; set; } = "it is taken out";

        public void OnPages(PageBatch batch) =>
            fetcher.Tell(new FetcherProtocol.Answered(this, batch), ActorRefs.NoSender);

        public void OnFailed(ulong requestId, FetchFailure failure) =>
            fetcher.Tell(new FetcherProtocol.RequestFailed(this, requestId, failure), ActorRefs.NoSender);
    }
}
