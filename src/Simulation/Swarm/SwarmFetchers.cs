using Akka.Actor;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>The supply of a single process: fetchers, each with its own connections to replicas of the image.</summary>
internal sealed class SwarmFetchers : SwarmSupply
{
    private readonly SimWorld _world;
    private readonly SwarmView _view;
    private readonly SortedDictionary<int, SwarmSource> _sources = [];
    private readonly SortedSet<int> _gone = [];
    private int _opened;

    public SwarmFetchers(SimWorld world, SwarmView view)
    {
        (_world, _view) = (world, view);
        System = world.CreateSystem(Node);
        Pool = System.ActorOf(FetcherPoolActor.Props(SwarmRun.FetcherOf(view.Plan), null, world.Time), "fetchers");
    }

    public override string Node => "swarm";

    public override ActorSystem System { get; }

    public override IActorRef Pool { get; }

    public override TimeSpan Liveness => TimeSpan.FromMilliseconds(500);

    public override long KeeperNs => 2_000_000;

    private SwarmPlan Plan => _view.Plan;

    public override void Start()
    {
        for (var i = 0; i < Plan.Fetchers; i++)
            AddFetcher(i);
    }

    public override bool Begin(PlannedFault fault)
    {
        var source = fault.Target % Plan.Sources;
        var fetcher = fault.Target % Plan.Fetchers;
        switch (fault.Type)
        {
            case FaultType.FetcherCrashSending:
                Of(source).ThrowsNext = true;
                return true;
            case FaultType.FetcherLeaves:
                if (_gone.Add(fetcher))
                    Pool.Tell(new FetcherPoolProtocol.RemoveFetcher((ulong)fetcher));
                return true;
            case FaultType.SourceLost:
                Of(source).Dispose();
                return true;
            case FaultType.SourceSilent:
                Of(source).Hold();
                return true;
            case FaultType.SourceLate:
                Of(source).LateNs = fault.ForNs;
                return true;
            case FaultType.SourceShort:
                Of(source).IsShort = true;
                return true;
            case FaultType.SourceWrongPage:
                Of(source).AnswersWrong = true;
                return true;
            case FaultType.SourceTwice:
                Of(source).AnswersTwice = true;
                return true;
            case FaultType.Partition:
                foreach (var (_, cut) in _sources.Where(s => s.Value.Fetcher == fetcher))
                    cut.Hold();
                return true;
            default:
                return false;
        }
    }

    public override void End(PlannedFault fault)
    {
        var source = fault.Target % Plan.Sources;
        var fetcher = fault.Target % Plan.Fetchers;
        switch (fault.Type)
        {
            case FaultType.FetcherLeaves when _gone.Remove(fetcher):
                AddFetcher(fetcher);
                break;
            case FaultType.SourceSilent:
                Of(source).Dispose();
                Reopen(source);
                break;
            case FaultType.SourceLost:
                if (Of(source).IsClosed)
                    Reopen(source);
                break;
            case FaultType.SourceLate:
                Of(source).LateNs = 0;
                break;
            case FaultType.SourceShort:
                Of(source).IsShort = false;
                break;
            case FaultType.SourceWrongPage:
                Of(source).AnswersWrong = false;
                break;
            case FaultType.SourceTwice:
                Of(source).AnswersTwice = false;
                break;
            case FaultType.Partition:
                foreach (var (_, cut) in _sources.Where(s => s.Value.Fetcher == fetcher))
                    cut.LetGo();
                break;
        }
    }

    public override void Keep()
    {
        for (var fetcher = 0; fetcher < Plan.Fetchers; fetcher++)
        {
            var own = Enumerable.Range(fetcher * Plan.Replicas, Plan.Replicas);
            if (own.All(s => !_sources.TryGetValue(s, out var source) || source.IsClosed))
                Reopen(fetcher * Plan.Replicas);
        }
    }

    private void AddFetcher(int fetcher) =>
        Pool.Tell(
            new FetcherPoolProtocol.AddFetcher(
                (ulong)fetcher,
                [
                    .. Enumerable
                        .Range(fetcher * Plan.Replicas, Plan.Replicas)
                        .Select(s => (Func<IPageSource>)(() => Open(s))),
                ]
            )
        );

    private SwarmSource Open(int source)
    {
        var opened = new SwarmSource(_world, _view, source / Plan.Replicas, source, _opened++);
        // A source's misbehaviour continues on any new connection.
        if (_sources.TryGetValue(source, out var before))
            opened.BehaveAs(before);
        return _sources[source] = opened;
    }

    private void Reopen(int source)
    {
        var fetcher = source / Plan.Replicas;
        if (_gone.Contains(fetcher))
            return;
        // Replaces the former connection, rather than adding a second one.
        Pool.Tell(new FetcherPoolProtocol.RemoveSource($"source-{source}", "as planned"));
        Pool.Tell(new FetcherPoolProtocol.AddSource((ulong)fetcher, $"source-{source}", () => Open(source)));
    }

    private SwarmSource Of(int source) => _sources.TryGetValue(source, out var open) ? open : Open(source);
}
