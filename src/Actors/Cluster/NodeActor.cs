using Akka.Actor;
using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Actors;

/// <summary>
/// A node's part in the cluster: tells every member what this node offers and how much it does, and keeps what they
/// tell. Reports are repeated, so one that is lost costs an interval.
/// </summary>
public sealed class NodeActor : UntypedActor
{
    /// <summary>Its name under /user, the same on every node: others find it by that.</summary>
    public const string Name = "node";

    private readonly Func<NodeReport> _self;
    private readonly TimeSpan _every;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly SortedDictionary<Address, Peer> _peers = new(Member.AddressOrdering);
    private readonly List<IActorRef> _listeners = [];
    private ICancelable? _tick;
    private NodeReport _own = NodeReport.Nothing;
    private long _ownNs;

    /// <summary>See <see cref="Props"/>.</summary>
    public NodeActor(Func<NodeReport> self, TimeSpan every) => (_self, _every) = (self, every);

    private static long NowNs => Context.System.Scheduler.HighResMonotonicClock.Ticks * 100;

    /// <summary>A node; to be named <see cref="Name"/>.</summary>
    /// <param name="self">What there is to say of this node; its rate is reckoned here. Asked on the actor's thread.</param>
    /// <param name="every">How often it is said.</param>
    public static Props Props(Func<NodeReport> self, TimeSpan every) =>
        Akka.Actor.Props.Create(() => new NodeActor(self, every));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _cluster.Subscribe(
            Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent), typeof(IReachabilityEvent));
        _tick = Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            TimeSpan.Zero, _every, Self, NodeProtocol.Tick.Instance, ActorRefs.NoSender);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _tick?.Cancel();
        _cluster.Unsubscribe(Self);
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case NodeReport report:
                OnReport(report);
                break;
            case NodeProtocol.Tick or NodeProtocol.Announce:
                Refresh();
                foreach (var peer in _peers.Values) Tell(peer);
                TellListeners();
                break;
            case NodeProtocol.Listen listen:
                _listeners.Add(listen.Listener);
                listen.Listener.Tell(Nodes());
                break;
            case NodeProtocol.GetNodes:
                Sender.Tell(Nodes());
                break;
            case MemberRemoved removed:
                OnRemoved(removed.Member);
                break;
            case IMemberEvent changed:
                OnMember(changed.Member);
                break;
            case UnreachableMember unreachable:
                OnReachability(unreachable.Member, isReachable: false);
                break;
            case ReachableMember reachable:
                OnReachability(reachable.Member, isReachable: true);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    // The sender's address is the peer's: a report needs no name in it, and nobody speaks for somebody else.
    private void OnReport(NodeReport report)
    {
        if (!_peers.TryGetValue(Sender.Path.Address, out var peer)) return;
        peer.Report = report;
        TellListeners();
    }

    private void OnMember(Member member)
    {
        var isNew = !_peers.TryGetValue(member.Address, out var peer) || !peer.Member.UniqueAddress.Equals(member.UniqueAddress);
        if (isNew) _peers[member.Address] = peer = new Peer(member);
        peer!.Member = member;
        if (isNew) Tell(peer);
        TellListeners();
    }

    private void OnRemoved(Member member)
    {
        if (!_peers.TryGetValue(member.Address, out var peer) || !peer.Member.UniqueAddress.Equals(member.UniqueAddress)) return;
        _peers.Remove(member.Address);
        TellListeners();
    }

    private void OnReachability(Member member, bool isReachable)
    {
        if (!_peers.TryGetValue(member.Address, out var peer) || !peer.Member.UniqueAddress.Equals(member.UniqueAddress)) return;
        peer.IsReachable = isReachable;
        TellListeners();
    }

    private void Refresh()
    {
        var report = _self();
        var seconds = (NowNs - _ownNs) / 1e9;
        var rate = _ownNs == 0 || seconds <= 0 ? 0 : (report.PagesSent - _own.PagesSent) / seconds;
        _own = report with { PagesPerSecond = rate };
        _ownNs = NowNs;
    }

    private void Tell(Peer peer)
    {
        if (peer.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress)) return;
        Context.ActorSelection(new RootActorPath(peer.Member.Address) / "user" / Name).Tell(_own, Self);
    }

    private void TellListeners()
    {
        if (_listeners.Count == 0) return;
        var nodes = Nodes();
        foreach (var listener in _listeners) listener.Tell(nodes);
    }

    private NodeProtocol.NodesChanged Nodes() => new([.. _peers.Values.Select(peer => new ClusterNode(
        peer.Member.Address, [.. peer.Member.Roles.Order(StringComparer.Ordinal)], peer.Member.Status, peer.IsReachable,
        peer.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress) ? _own : peer.Report))]);

    private sealed class Peer(Member member)
    {
        public Member Member { get; set; } = member;

        public bool IsReachable { get; set; } = true;

        public NodeReport? Report { get; set; }
    }
}
