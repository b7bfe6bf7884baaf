using Akka.Actor;
using Userfault.Actors;
using Userfault.Nodes;
using Userfault.Pages;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// The supply of a cluster: source and fetcher nodes, the run's destination and other ones, over a simulated network.
/// Nodes die and return, are slow, and lose contact with each other.
/// </summary>
internal sealed class SwarmCluster : SwarmSupply
{
    private const long LateNs = 40_000_000;
    private const long LookNs = 100_000;
    private readonly SimWorld _world;
    private readonly SimCluster _cluster;
    private readonly SimRandom _random;
    private readonly SimNode _destination;
    private readonly List<SimNode> _servers = [];
    private readonly List<(SimNode Node, SimVm Vm)> _others = [];
    private readonly List<LostVm> _lost = [];
    private readonly List<PlannedFault> _active = [];
    private IActorRef _pool = ActorRefs.Nobody;
    private long _startNs;

    public SwarmCluster(SimWorld world, SwarmView view)
    {
        _world = world;
        Plan = view.Plan;
        _random = world.Random("swarm's network");
        _cluster = new SimCluster(
            world,
            new SimClusterSettings
            {
                Network = Network(),
                ClearsEvery = TimeSpan.FromTicks(Plan.ClearsNs / 100),
                ReportEvery = TimeSpan.FromMilliseconds(500),
                ResolvesSplits = Plan.ResolvesSplits,
                Membership = new SimMembershipSettings
                {
                    FalseSuspicion = _random.OneOf([0, 0.01, 0.05]),
                    GossipLoss = _random.OneOf([0, 0.1, 0.3]),
                },
                Fetcher = SwarmRun.FetcherOf(Plan),
            }
        );
        // The destination is the first seed node, which alone may form a cluster by itself: it is never restarted.
        _destination = _cluster.AddDestination(
            Node,
            view.Image.Identity,
            (node, publisher) =>
                _pool = node.System!.ActorOf(
                    FetcherPoolActor.Props(SwarmRun.FetcherOf(Plan), publisher, world.Time),
                    "fetchers"
                ),
            plane => new WatchedPlane(plane, view)
        );
        for (var i = 0; i < Plan.SourceNodes; i++)
            _servers.Add(_cluster.AddSource($"source-{i}", view.Image, Disk()));
        for (var i = 0; i < Plan.FetcherNodes; i++)
            _servers.Add(_cluster.AddFetcher($"fetcher-{i}"));
        for (var i = 0; i < Plan.OtherDestinations; i++)
            _others.Add(Other(view.Image, i));
        view.Add(new MembershipChecker(_cluster));
        view.Add(new ReplicaChecker(_cluster));
        view.Add(new OtherVmChecker(() => _others.Where(o => o.Node.IsUp).Select(static o => o.Vm)));
        view.Add(new LostDestinationChecker(_cluster, _lost));
    }

    public override string Node => "destination";

    public override ActorSystem System => _destination.System!;

    public override IActorRef Pool => _pool;

    public override TimeSpan Liveness => TimeSpan.FromMinutes(2);

    public override long KeeperNs => 500_000_000;

    public override bool BroadcastsClears => true;

    private SwarmPlan Plan { get; }

    public override void Start()
    {
        // If the cluster does not form, its checker reports that at the end.
        _world.RunUntil(_cluster.HasConverged, TimeSpan.FromSeconds(60));
        _world.RunFor(TimeSpan.FromTicks(Plan.HeadStartNs / 100));
        _world.Delivery = Deliver;
        _startNs = _world.NowNs;
        foreach (var other in _others)
            other.Vm.Start();
    }

    public override bool Begin(PlannedFault fault)
    {
        var server = _servers[fault.Target % _servers.Count];
        switch (fault.Type)
        {
            case FaultType.NodeDies or FaultType.NodeLosesPower:
                _cluster.Kill(server, fault.Type == FaultType.NodeLosesPower);
                break;
            case FaultType.NodeCut or FaultType.NodeDeaf or FaultType.DestinationCut:
                _active.Add(fault);
                Cut(fault);
                return true;
            case FaultType.DestinationDies when _others.Count > 0:
                Await(fault, _others[fault.Target % _others.Count]);
                break;
            case FaultType.NodeSlow:
                server.Host.Slowdown = 30;
                break;
            case FaultType.NetworkBad:
                _cluster.Network.Settings = Network() with { Loss = 0.02, Break = 0.002 };
                break;
            case FaultType.ConnectionsBreak:
                _cluster.Network.BreakConnections();
                break;
            case FaultType.SourceLate or FaultType.SourceShort or FaultType.SourceWrongPage or FaultType.SourceTwice:
                if (_servers[fault.Target % Plan.SourceNodes].Disk is { } disk)
                    disk.Faults = DiskFaults(fault);
                break;
            case FaultType.ClearsLost or FaultType.ClearsTwice or FaultType.ClearsLate:
                _active.Add(fault);
                break;
            default:
                return false;
        }

        return true;
    }

    public override void End(PlannedFault fault)
    {
        var server = _servers[fault.Target % _servers.Count];
        switch (fault.Type)
        {
            case FaultType.NodeDies or FaultType.NodeLosesPower:
                if (!server.IsUp)
                    _cluster.Restart(server);
                break;
            case FaultType.NodeCut or FaultType.NodeDeaf or FaultType.DestinationCut:
                _active.Remove(fault);
                _cluster.Heal();
                foreach (var other in _active)
                    Cut(other);
                break;
            case FaultType.NodeSlow:
                server.Host.Slowdown = 1;
                break;
            case FaultType.NetworkBad:
                _cluster.Network.Settings = Network();
                break;
            case FaultType.SourceLate or FaultType.SourceShort or FaultType.SourceWrongPage or FaultType.SourceTwice:
                if (_servers[fault.Target % Plan.SourceNodes].Disk is { } disk)
                    disk.Faults = SimSourceFaults.None;
                break;
            case FaultType.ClearsLost or FaultType.ClearsTwice or FaultType.ClearsLate:
                _active.Remove(fault);
                break;
        }
    }

    // A machine whose process has died or left the cluster gets a new one, and paused VMs continue.
    public override void Keep()
    {
        _cluster.BecomesCalm();
        foreach (var server in _servers)
        {
            if (server.Membership is { IsOver: true })
                _cluster.Kill(server);
            if (!server.IsUp)
                _cluster.Restart(server);
        }

        foreach (var (_, other) in _others)
        {
            if (other.Report is null && other.Progress.Count > 0 && other.Progress[^1].State == MigrationState.Paused)
                other.Migration.Tell(MigrationProtocol.Continue.Instance, ActorRefs.NoSender);
        }
    }

    // Kills the node of another destination once enough of its guest has arrived, if that happens while the fault
    // lasts.
    private void Await(PlannedFault fault, (SimNode Node, SimVm Vm) other)
    {
        var isLate = _world.NowNs > _startNs + fault.EndNs;
        if (isLate || !other.Node.IsUp || other.Vm.Report is not null)
            return;
        var missing =
            other.Vm.Progress.Count == 0
                ? ulong.MaxValue
                : other.Vm.Progress[^1].Pages - other.Vm.Progress[^1].PagesPresent;
        if (missing == 0 || missing > ((ulong)fault.Target * 4) + 4)
        {
            // A guest of the swarm is complete within milliseconds: other nodes must learn of its bitmap before the
            // next regular report.
            if (_world.NowNs / LookNs % 10 == 0)
                other.Node.Node.Tell(NodeProtocol.Announce.Instance, ActorRefs.NoSender);
            _world.After(LookNs, "destination dies", () => Await(fault, other));
            return;
        }

        _lost.Add(LostVm.Of(_cluster, other.Node, other.Vm));
        _cluster.Kill(other.Node, silently: fault.Target % 2 == 1);
    }

    private void Cut(PlannedFault fault)
    {
        if (fault.Type is not (FaultType.NodeCut or FaultType.NodeDeaf or FaultType.DestinationCut))
            return;
        var node = fault.Type == FaultType.DestinationCut ? _destination : _servers[fault.Target % _servers.Count];
        foreach (var other in _cluster.Nodes.Where(n => n != node))
        {
            _cluster.Network.CutOneWay(other.Host, node.Host);
            if (fault.Type != FaultType.NodeDeaf)
                _cluster.Network.CutOneWay(node.Host, other.Host);
        }
    }

    // Each of these messages is sent once between nodes and may be lost. Nothing rules out that one also arrives twice
    // or late.
    private int Deliver(string path, IActorRef receiver, Envelope envelope)
    {
        if (_active.Count == 0 || envelope.Message is not (BitsCleared or BitmapRange or GetBitmapRange))
            return 1;
        if (!path.EndsWith("/replicas", StringComparison.Ordinal) && envelope.Message is not GetBitmapRange)
            return 1;
        foreach (var fault in _active)
        {
            switch (fault.Type)
            {
                case FaultType.ClearsLost when _random.Chance(0.4):
                    return 0;
                case FaultType.ClearsTwice when _random.Chance(0.5):
                    return 2;
                case FaultType.ClearsLate when _random.Chance(0.5):
                    _world.After(
                        (long)_random.Below(LateNs),
                        "late clears",
                        () => receiver.Tell(envelope.Message, envelope.Sender)
                    );
                    return 0;
            }
        }

        return 1;
    }

    private SimNetworkSettings Network() =>
        new()
        {
            Latency = SimLatency.Uniform((Plan.LatencyNs / 2) + 1_000, (Plan.LatencyNs / 2) + Plan.JitterNs + 2_000),
            SilenceNs = 4_000_000_000,
        };

    private SimServerSettings Disk() => new() { Latency = SimLatency.Uniform(1_000, Plan.JitterNs + 2_000) };

    private static SimSourceFaults DiskFaults(PlannedFault fault) =>
        fault.Type switch
        {
            FaultType.SourceLate => new SimSourceFaults { Late = 0.5, LateNs = fault.ForNs },
            FaultType.SourceShort => new SimSourceFaults { Short = 0.4 },
            FaultType.SourceWrongPage => new SimSourceFaults { WrongPage = 0.4 },
            _ => new SimSourceFaults { Duplicate = 0.5 },
        };

    private (SimNode Node, SimVm Vm) Other(TagImage image, int number)
    {
        var dies = Plan.Faults.Any(static f => f.Type == FaultType.DestinationDies);
        var node = _cluster.AddDestination(
            $"other-{number}",
            new SimVmSettings
            {
                Name = $"other-{number}",
                Image = image,
                Migration = new MigrationSettings
                {
                    Mode = FaultMode.Userfault,
                    Background = dies ? BackgroundOrder.Sequential : Plan.Push,
                    BackgroundWindowPages = dies ? 8 : 256,
                    BackgroundChunkPages = dies ? 4 : 64,
                    Fetcher = SwarmRun.FetcherOf(Plan),
                    ProgressNs = dies ? LookNs : 0,
                    SampleNs = dies ? LookNs : 100_000_000,
                },
                Workload = new PatternWorkload(
                    new PatternSettings(PatternKind.Random, 2, image.Pages)
                    {
                        AccessesPerVcpu = 50,
                        Overlapping = true,
                        Seed = Plan.Seed + (ulong)number,
                    }
                ),
            },
            out var vm
        );
        return (node, vm);
    }
}
