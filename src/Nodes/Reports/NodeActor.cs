using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// A node's part in the cluster: reports to every member what this node offers and its load, and keeps their reports.
/// Reports are repeated, so a lost one costs an interval.
/// </summary>
public sealed class NodeActor : UntypedActor, IWithTimers
{
    /// <summary>Its name under /user, the same on every node, so that others find it.</summary>
    public const string Name = "node";

    private readonly IMembership _membership;
    private readonly Func<NodeReport> _report;
    private readonly TimeSpan _every;
    private readonly SortedDictionary<Address, Peer> _peers = new(AddressOrder.Instance);
    private readonly List<IActorRef> _listeners = [];
    private NodeReport _own = NodeReport.Nothing;
    private long _ownNs;
    private bool _isOver;

    /// <summary>See <see cref="Props"/>.</summary>
    public NodeActor(IMembership membership, Func<NodeReport> report, TimeSpan every) =>
        (_membership, _report, _every) = (membership, report, every);

    /// <inheritdoc/>
    public ITimerScheduler Timers { get; set; } = null!;

    private static long NowNs => Context.System.Scheduler.HighResMonotonicClock.Ticks * 100;

    // Before this node is a member, and after its membership has ended, its information is no view of a cluster.
    private bool IsMember =>
        !_isOver && _peers.TryGetValue(_membership.Self.Address, out var self) && self.Id == _membership.Self;

    /// <summary>A node; it must be named <see cref="Name"/>.</summary>
    /// <param name="membership">Its membership.</param>
    /// <param name="report">The report of this node, called on the actor's thread; the rate is computed here.</param>
    /// <param name="every">Interval of the reports.</param>
    public static Props Props(IMembership membership, Func<NodeReport> report, TimeSpan every) =>
        Akka.Actor.Props.Create(() => new NodeActor(membership, report, every));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _membership.Follow(Self);
        Timers.StartPeriodicTimer(nameof(NodeProtocol.Tick), NodeProtocol.Tick.Instance, TimeSpan.Zero, _every);
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
                foreach (var peer in _peers.Values)
                    Tell(peer);
                TellListeners();
                break;
            case NodeProtocol.Listen listen:
                _listeners.Add(listen.Listener);
                if (IsMember)
                    listen.Listener.Tell(Nodes());
                break;
            case NodeProtocol.GetNodes:
                Sender.Tell(Nodes());
                break;
            case MemberChanged changed:
                OnMember(changed);
                break;
            case ReachabilityChanged changed:
                OnReachability(changed);
                break;
            case MembershipEnded:
                _isOver = true;
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    // The peer is identified by the sender's address: a report needs no name, and no node can report for another.
    private void OnReport(NodeReport report)
    {
        if (!_peers.TryGetValue(Sender.Path.Address, out var peer))
            return;
        peer.Report = report;
        TellListeners();
    }

    private void OnMember(MemberChanged changed)
    {
        var isKnown = _peers.TryGetValue(changed.Node.Address, out var peer) && peer.Id == changed.Node;
        if (changed.State == MemberState.Removed)
        {
            if (!isKnown)
                return;
            _peers.Remove(changed.Node.Address);
            TellListeners();
            return;
        }

        if (!isKnown)
            _peers[changed.Node.Address] = peer = new Peer(changed.Node, changed.Roles);
        peer!.State = changed.State;
        if (!isKnown)
            Tell(peer);
        TellListeners();
    }

    private void OnReachability(ReachabilityChanged changed)
    {
        if (!_peers.TryGetValue(changed.Node.Address, out var peer) || peer.Id != changed.Node)
            return;
        peer.IsReachable = changed.IsReachable;
        TellListeners();
    }

    private void Refresh()
    {
        var report = _report();
        var seconds = (NowNs - _ownNs) / 1e9;
        var rate = _ownNs == 0 || seconds <= 0 ? 0 : (report.PagesSent - _own.PagesSent) / seconds;
        _own = report with { PagesPerSecond = rate };
        _ownNs = NowNs;
    }

    private void Tell(Peer peer)
    {
        if (peer.Id != _membership.Self)
            _membership.Tell(peer.Id.Address, Name, _own, Self);
    }

    private void TellListeners()
    {
        if (_listeners.Count == 0 || !IsMember)
            return;
        var nodes = Nodes();
        foreach (var listener in _listeners)
            listener.Tell(nodes);
    }

    private NodeProtocol.NodesChanged Nodes() =>
        new([
            .. _peers.Values.Select(peer => new ClusterNode(
                peer.Id.Address,
                peer.Roles,
                peer.State,
                peer.IsReachable,
                peer.Id == _membership.Self ? _own : peer.Report
            )),
        ]);

    private sealed class Peer(NodeId id, IReadOnlyList<string> roles)
    {
        public NodeId Id { get; } = id;

        public IReadOnlyList<string> Roles { get; } = roles;

        public MemberState State { get; set; }

        public bool IsReachable { get; set; } = true;

        public NodeReport? Report { get; set; }
    }
}
