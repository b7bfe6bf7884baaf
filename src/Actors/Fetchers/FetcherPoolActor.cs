using Akka.Actor;
using Akka.Event;
using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Routes requests for pages over the fetchers, by runs of pages (<see cref="FetchRoutes"/>), and supervises them: a
/// fetcher that fails is restarted, and whoever waits for pages asks again. Without a fetcher requests are answered
/// with <see cref="FetchFailed"/>.
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
    /// <param name="settings">How its fetchers ask.</param>
    /// <param name="broadcast">Is told <see cref="BitsCleared"/> by the fetchers, for other nodes; null where there are
    /// none.</param>
    /// <param name="time">The clock that also drives the sources' completions; null is the scheduler's.</param>
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
                // Not by way of a fetcher: one that fails or leaves would lose a batch, and the last has none behind it
                // to show the gap.
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
            Sender.Tell(new FetchFailed("no fetcher is left", [.. fetch.Ranges.SelectMany(PageRuns.PagesOf)]));
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
        // A node that left and came back has its number again, while the old actor may still be stopping.
        var props = FetcherActor.Props(add.Number, settings, add.Sources, broadcast, time);
        _fetchers.Add(
            add.Number,
            Context.ActorOf(props.WithDispatcher(Context.Props.Dispatcher), $"fetcher-{add.Number}-{_started++}")
        );
        _routes = new FetchRoutes(_fetchers.Keys);
        // Whoever asked while there was none was refused.
        if (_fetchers.Count == 1)
            AskAgain();
    }

    private void OnRemoveFetcher(ulong number)
    {
        if (!_fetchers.Remove(number, out var fetcher))
            return;
        _added.RemoveAll(added => added.Fetcher == number);
        // Behind what it was told already: whoever waits for its report gets it, and its work stays in the sum.
        fetcher.Tell(FetcherProtocol.GetReport.Instance);
        fetcher.Tell(PoisonPill.Instance);
        _removed ??= new FetcherReport(FetcherPoolProtocol.Removed, default, new LatencyHistogram(), []);
        _routes = new FetchRoutes(_fetchers.Keys);
        AskAgain();
    }

    // It has opened the sources again that it was made with; those that came later it has forgotten.
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
