using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Membership;
using Akka.Cluster.SBR;
using Akka.Remote.Watching;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Userfault.Engine.Tests.StandIn.Cluster;

/// <summary>
/// Many memberships, one virtual clock, and a network whose links have a latency and can be cut. One seed decides
/// everything.
/// </summary>
internal sealed class MembershipSim(int seed, MembershipOptions? options = null, Func<SplitBrainCore>? resolver = null)
{
    public static readonly MembershipOptions Defaults = new(new PhiAccrualDetector.Options(8, 100, Ms(100), Ms(1000), Ms(200)))
    {
        RetryJoinAfter = Ms(2000),
        FirstHeartbeatExpectedAfter = Ms(1000),
    };

    private readonly Random _random = new(seed);
    private readonly PriorityQueue<Action, (TimeSpan At, long Order)> _queue = new();
    private readonly SortedDictionary<int, SimNode> _nodes = [];
    private readonly HashSet<(int From, int To)> _cut = [];
    private readonly Dictionary<(int From, int To), TimeSpan> _lastArrival = [];
    private long _order;

    public TimeSpan Now { get; private set; }

    /// <summary>A hash over everything that was sent, in order.</summary>
    public ulong Trace { get; private set; } = 14695981039346656037;

    public IEnumerable<SimNode> Alive => _nodes.Values.Where(static node => node.IsAlive);

    public SimNode this[int number] => _nodes[number];

    internal sealed class SimNode(int number, MembershipCore core, SplitBrainCore? resolver)
    {
        public int Number => number;

        public MembershipCore Core => core;

        public SplitBrainCore? Resolver => resolver;

        public bool IsAlive { get; set; } = true;

        /// <summary>How it ended: Exiting or Down; null while it runs or where it was killed.</summary>
        public MemberStatus? Ended { get; set; }

        public string Members => string.Join(" ", core.Latest.Members.Select(static member => $"{member.Address.Port - 1000}:{member.Status}"));
    }

    public SimNode Start(int number, int uid = 1)
    {
        var node = new SimNode(number, new MembershipCore(Views.Node(number, uid), [], options ?? Defaults, seed + (number * 31) + uid), resolver?.Invoke());
        _nodes[number] = node;
        Every(Ms(100), node, node.Core.GossipTick);
        Every(Ms(100), node, node.Core.LeaderTick);
        Every(Ms(100), node, () => node.Core.ReapTick(Now));
        Every(Ms(200), node, () => node.Core.HeartbeatTick(Now));
        Every(Ms(500), node, () => Rejoin(node));
        if (node.Resolver is not null)
            Every(Ms(250), node, () => Resolve(node));
        return node;
    }

    public SimNode Join(int number, int to, int uid = 1)
    {
        var node = Start(number, uid);
        Do(node, () => node.Core.JoinTo(Views.Node(to).Address, Now));
        return node;
    }

    public void Do(SimNode node, Action action)
    {
        if (!node.IsAlive)
            return;
        action();
        Flush(node);
    }

    /// <summary>As kill -9: no goodbye.</summary>
    public void Kill(int number) => _nodes[number].IsAlive = false;

    public void Cut(IEnumerable<int> one, IEnumerable<int> other)
    {
        foreach (var left in one)
        {
            foreach (var right in other)
            {
                _cut.Add((left, right));
                _cut.Add((right, left));
            }
        }
    }

    public void Heal() => _cut.Clear();

    public void RunFor(int milliseconds)
    {
        var until = Now + Ms(milliseconds);
        while (_queue.TryPeek(out _, out var next) && next.At <= until)
            Step();
        Now = until;
    }

    public void RunUntil(Func<bool> holds, int withinMilliseconds, string what)
    {
        var until = Now + Ms(withinMilliseconds);
        while (!holds())
        {
            Assert.True(Now <= until, $"seed {seed}: {what} not within {withinMilliseconds} ms: {string.Join(" | ", Alive.Select(static node => $"{node.Number}=[{node.Members}]"))}");
            // To look costs more than to go on.
            RunFor(20);
        }
    }

    /// <summary>Do all that run see the same members, all of them Up, and nobody missing?</summary>
    public bool Agree(int members)
        => Alive.Count() == members && Alive.All(node => node.Core.Latest.Members.Count == members
            && node.Core.Latest.Members.All(static member => member.Status == MemberStatus.Up)
            && node.Core.Latest.Judged.AllUnreachable.IsEmpty)
            && Alive.Select(node => node.Core.Latest.Leader(node.Core.Self)!.UniqueAddress).Distinct().Count() == 1;

    private static TimeSpan Ms(double count) => TimeSpan.FromMilliseconds(count);

    private void Step()
    {
        Assert.True(_queue.TryDequeue(out var action, out var when));
        Now = when.At;
        action();
    }

    private void At(TimeSpan when, Action action) => _queue.Enqueue(action, (when, _order++));

    private void Every(TimeSpan interval, SimNode node, Action action)
    {
        var at = Now + (interval * _random.NextDouble());
        At(at, Tick);
        void Tick()
        {
            if (!node.IsAlive)
                return;
            action();
            Flush(node);
            at += interval;
            At(at, Tick);
        }
    }

    private void Rejoin(SimNode node)
    {
        if (node.Core.IsJoinOverdue(Now))
            node.Core.JoinAgain(Now);
    }

    private void Resolve(SimNode node)
    {
        if (!node.Core.IsMember)
            return;
        var state = GossipDiff.State(node.Core.Latest, node.Core.Self);
        var view = SplitBrainView.From(state, node.Core.Self);
        node.Resolver!.OnView(view, Now);
        var decision = node.Resolver.Tick(Now);
        if (decision is null || (decision == Decision.DownUnreachable && state.Leader != node.Core.Self.Address))
            return;
        if (decision is Decision.DownUnreachable or Decision.DownAll)
        {
            foreach (var unreachable in view.Unreachable)
                node.Core.Down(unreachable.Address);
        }
        if (decision is Decision.DownReachable or Decision.DownAll)
            node.Core.Down(node.Core.Self.Address);
    }

    private void Flush(SimNode node)
    {
        var ends = node.Core.SelfStatus is MemberStatus.Down or MemberStatus.Exiting;
        if (ends)
            node.Core.ConfirmEnd();
        foreach (var (to, message) in node.Core.TakeOutbox())
            Send(node, to.Port!.Value - 1000, message);
        if (ends)
        {
            node.Ended = node.Core.SelfStatus;
            node.IsAlive = false;
        }
    }

    private void Send(SimNode from, int to, ClusterMessage message)
    {
        foreach (var letter in $"{Now.Ticks} {from.Number} {to} {message.GetType().Name}")
            Trace = (Trace ^ letter) * 1099511628211;
        if (_cut.Contains((from.Number, to)))
            return;
        // Each link keeps its order.
        var arrival = Now + Ms(1 + (_random.NextDouble() * 30));
        var link = (from.Number, to);
        if (_lastArrival.TryGetValue(link, out var last) && last > arrival)
            arrival = last;
        _lastArrival[link] = arrival;
        At(arrival, () =>
        {
            if (!_cut.Contains(link) && _nodes.TryGetValue(to, out var node) && node.IsAlive)
                Do(node, () => Deliver(node, from.Core.Self.Address, message));
        });
    }

    private void Deliver(SimNode node, Address from, ClusterMessage message)
    {
        switch (message)
        {
            case Heartbeat heartbeat:
                Send(node, from.Port!.Value - 1000, new HeartbeatAnswer(node.Core.Self, heartbeat.Sequence));
                break;
            case HeartbeatAnswer answer:
                node.Core.OnHeartbeatAnswer(answer, Now);
                break;
            case GossipEnvelope envelope:
                node.Core.OnGossip(envelope);
                break;
            case GossipStatus status:
                node.Core.OnGossipStatus(status);
                break;
            case Join join:
                node.Core.OnJoin(join);
                break;
            case Welcome welcome:
                node.Core.OnWelcome(welcome);
                break;
            case ExitingConfirmed confirmed:
                node.Core.OnExitingConfirmed(confirmed);
                break;
        }
    }
}
