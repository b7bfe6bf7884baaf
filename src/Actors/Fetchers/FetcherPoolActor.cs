using Akka.Actor;
using Akka.Event;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Routes page requests to the fetchers by runs of pages (<see cref="FetchRoutes"/>) and supervises them: a fetcher
/// that fails is restarted, and the requesters are asked to repeat their requests. Without a fetcher, requests are
/// answered with <see cref="FetchFailed"/>.
/// </summary>
public sealed class FetcherPoolActor(FetchSettings settings, IActorRef? broadcast, IGuestTime? time) : UntypedActor
{
    private readonly SortedDictionary<ulong, IActorRef> _fetchers = [];
    private readonly List<IActorRef> _requesters = [];
    private readonly HashSet<IActorRef> _known = new(ReferenceEqualityComparer.Instance);
    private readonly List<FetcherPoolProtocol.AddSource> _added = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private FetchRoutes _routes = new([]);
    private int _started;
    private FetcherReport? _removed;

    /// <summary>A pool without fetchers.</summary>
    /// <param name="settings">The settings of the fetch engines.</param>
    /// <param name="broadcast">Receives <see cref="BitsCleared"/> from the memslots, for other nodes; null if there are
    /// no other nodes.</param>
    /// <param name="time">The clock that also drives the sources' completions; null for the scheduler's.</param>
    public static Props Props(FetchSettings settings, IActorRef? broadcast = null, IGuestTime? time = null) =>
        Akka.Actor.Props.Create(() => new FetcherPoolActor(settings, broadcast, time));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(failure =>
        {
            _log.Warning("a fetcher failed and is restarted: {0}", failure.Message);
            return Directive.Restart;
        });

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case FetcherProtocol.FetchPages fetch:
                Route(fetch);
                break;
            case FetcherProtocol.Promote promote:
                if (_routes.Members.Count > 0)
                    _fetchers[_routes.Of(promote.Page)].Forward(promote);
                break;
            case FetcherProtocol.BroadcastClears clears:
                // Not through a fetcher: one that fails or leaves would lose a batch, and no later batch reveals a gap
                // after the last one.
                broadcast?.Forward(clears.Clears);
                break;
            case FetcherPoolProtocol.AddFetcher add:
                OnAddFetcher(add);
                break;
            case FetcherPoolProtocol.RemoveFetcher remove:
                OnRemoveFetcher(remove.Number);
                break;
            case FetcherPoolProtocol.AddSource add when _fetchers.TryGetValue(add.Fetcher, out var fetcher):
                _added.Add(add);
                fetcher.Tell(new FetcherProtocol.AddSource(add.Open(), add.IsSpare));
                if (!add.IsSpare)
                    AskAgain();
                break;
            case FetcherPoolProtocol.RemoveSource remove:
                _added.RemoveAll(added => added.Name == remove.Name);
                Broadcast(new FetcherProtocol.RemoveSource(remove.Name, remove.Reason));
                break;
            case FetcherProtocol.CancelBackground cancel:
                Broadcast(cancel);
                break;
            case FetcherPoolProtocol.Register register:
                if (_known.Add(register.Requester))
                    _requesters.Add(register.Requester);
                break;
            case FetcherPoolProtocol.FetcherRestarted restarted:
                OnRestarted(restarted.Number);
                break;
            case FetcherReport report:
                OnRemovedReport(report);
                break;
            case FetcherPoolProtocol.GetReports:
                Sender.Tell(new FetcherPoolProtocol.ReportsComing(_fetchers.Count + (_removed is null ? 0 : 1)));
                if (_removed is not null)
                    Sender.Tell(_removed);
                foreach (var fetcher in _fetchers.Values)
                    fetcher.Forward(FetcherProtocol.GetReport.Instance);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Route(FetcherProtocol.FetchPages fetch)
    {
        if (_routes.Members.Count == 0)
        {
            Sender.Tell(new FetchFailed(PauseReasons.NoFetcherLeft, [.. fetch.Ranges.SelectMany(PageRuns.PagesOf)]));
            return;
        }

        if (_routes.Members.Count == 1)
        {
            _fetchers[_routes.Members[0]].Forward(fetch);
            return;
        }

        var shares = new SortedDictionary<ulong, List<MemoryPageRange>>();
        foreach (var range in fetch.Ranges)
        {
            for (var rest = range; !rest.IsEmpty; )
            {
                var count = Math.Min(rest.Count, FetchRoutes.RunPages - rest.Start.Value % FetchRoutes.RunPages);
                var fetcher = _routes.Of(rest.Start);
                if (!shares.TryGetValue(fetcher, out var share))
                    shares.Add(fetcher, share = []);
                share.Add(rest with { Count = count });
                rest = new MemoryPageRange(rest.Start.Plus(count), rest.Count - count);
            }
        }

        foreach (var (fetcher, share) in shares)
            _fetchers[fetcher].Forward(fetch with { Ranges = share });
    }

    private void OnAddFetcher(FetcherPoolProtocol.AddFetcher add)
    {
        if (_fetchers.ContainsKey(add.Number))
            return;
        // A node that left and rejoined has the same number, and its old actor may still be stopping.
        var props = FetcherActor.Props(add.Number, settings, add.Sources, broadcast, time);
        _fetchers.Add(
            add.Number,
            Context.ActorOf(props.WithDispatcher(Context.Props.Dispatcher), $"fetcher-{add.Number}-{_started++}")
        );
        _routes = new FetchRoutes(_fetchers.Keys);
        // Requests that arrived while there was no fetcher have failed.
        if (_fetchers.Count == 1)
            AskAgain();
    }

    private void OnRemoveFetcher(ulong number)
    {
        if (!_fetchers.Remove(number, out var fetcher))
            return;
        _added.RemoveAll(added => added.Fetcher == number);
        // The report is requested behind the messages already sent: collectors that still wait for it receive it, and
        // the fetcher's work stays in the sum.
        fetcher.Tell(FetcherProtocol.GetReport.Instance);
        fetcher.Tell(PoisonPill.Instance);
        _removed ??= new FetcherReport(FetcherPoolProtocol.Removed, default, new LatencyHistogram(), []);
        _routes = new FetchRoutes(_fetchers.Keys);
        AskAgain();
    }

    // A restarted fetcher has reopened its initial sources only; those added later are added again here.
    private void OnRestarted(ulong number)
    {
        if (!_fetchers.TryGetValue(number, out var fetcher))
            return;
        foreach (var added in _added.Where(a => a.Fetcher == number))
            fetcher.Tell(new FetcherProtocol.AddSource(added.Open(), added.IsSpare));
        AskAgain();
    }

    private void OnRemovedReport(FetcherReport report)
    {
        var latency = _removed!.Latency.Snapshot();
        latency.Add(report.Latency);
        _removed = _removed with { Counters = _removed.Counters + report.Counters, Latency = latency };
    }

    private void AskAgain()
    {
        foreach (var requester in _requesters)
            requester.Tell(MemslotProtocol.AskAgain.Instance);
    }

    private void Broadcast(object message)
    {
        foreach (var fetcher in _fetchers.Values)
            fetcher.Tell(message);
    }
}
