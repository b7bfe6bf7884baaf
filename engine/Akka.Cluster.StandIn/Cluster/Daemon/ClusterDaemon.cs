using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Event;
using Akka.Remote.Watching;
using static Akka.Cluster.ClusterEvent;
using static Akka.Cluster.Daemon.ClusterCommands;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Akka.Cluster.Daemon;

/// <summary>
/// The actor around <see cref="MembershipCore"/>: hands it messages and the time, sends what it leaves in its outbox,
/// and tells subscribers how its view has changed. Ends when this node is no longer part of the cluster.
/// </summary>
internal sealed class ClusterDaemon : UntypedActor
{
    public const string Name = "cluster";

    private static readonly TimeSpan SeedInterval = TimeSpan.FromSeconds(1);

    private readonly Cluster _cluster;
    private readonly MembershipCore _core;
    private readonly Subscriptions _subscriptions = new();
    private readonly Dictionary<Address, IActorRef> _daemons = [];
    private readonly List<Action> _onUp = [];
    private readonly List<ICancelable> _timers = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private Gossip _published = Gossip.Empty;
    private IReadOnlyList<Address> _seeds = [];
    private SeedJoin? _seedJoin;
    private TimeSpan _seedTickAt;

    public ClusterDaemon(Cluster cluster)
    {
        _cluster = cluster;
        var self = cluster.SelfUniqueAddress;
        _core = new MembershipCore(self, cluster.SelfRoles, cluster.Settings.Membership, self.Uid);
    }

    private enum Tick
    {
        Gossip,
        Leader,
        Reaper,
        Heartbeat,
        Join,
    }

    private static TimeSpan Now => Context.System.Scheduler.MonotonicClock;

    protected override void PreStart()
    {
        var settings = _cluster.Settings;
        Every(settings.GossipInterval, Tick.Gossip);
        Every(settings.LeaderActionsInterval, Tick.Leader);
        Every(settings.UnreachableNodesReaperInterval, Tick.Reaper);
        Every(settings.HeartbeatInterval, Tick.Heartbeat);
        Every(settings.SeedNodeTimeout < SeedInterval ? settings.SeedNodeTimeout / 2 : SeedInterval / 4, Tick.Join);
        if (_cluster.DowningProvider.DowningActorProps is { } downing)
            Context.ActorOf(downing.WithDispatcher(_cluster.Dispatcher), "downing");
        if (settings.SeedNodes.Count > 0)
            JoinSeedNodes(settings.SeedNodes);
        Settle();
    }

    protected override void PostStop()
    {
        foreach (var timer in _timers)
            timer.Cancel();
        var last = _published;
        if (last.Members.Count > 0)
        {
            _subscriptions.Publish(ClusterShuttingDown.Instance, Self);
            foreach (var happened in GossipDiff.Events(last, Gossip.Empty, _cluster.SelfUniqueAddress))
                _subscriptions.Publish(happened, Self);
        }
        _cluster.Ended();
    }

    protected override void OnReceive(object message)
    {
        try
        {
            Handle(message);
        }
        catch (Exception trouble)
        {
            // Restarted it would have forgotten who it is a member with: better no member at all.
            _log.Error(trouble, "Cluster membership failed on {0}; this node leaves the cluster", message.GetType());
            Context.Stop(Self);
        }
    }

    private void Handle(object message)
    {
        switch (message)
        {
            case ClusterMessage said:
                OnSaid(said);
                break;
            case ICommand command:
                OnCommand(command);
                break;
            case Tick tick:
                OnTick(tick);
                break;
            case Terminated terminated:
                _subscriptions.Remove(terminated.ActorRef, null);
                break;
            default:
                Unhandled(message);
                break;
        }
        Settle();
    }

    private void OnSaid(ClusterMessage said)
    {
        switch (said)
        {
            case Heartbeat heartbeat:
                Daemon(heartbeat.From).Tell(new HeartbeatAnswer(_core.Self, heartbeat.Sequence), Self);
                break;
            case HeartbeatAnswer answer:
                _core.OnHeartbeatAnswer(answer, Now);
                break;
            case GossipEnvelope envelope:
                _core.OnGossip(envelope);
                break;
            case GossipStatus status:
                _core.OnGossipStatus(status);
                break;
            case InitJoin:
                Sender.Tell(
                    _core.IsMember && _core.SelfStatus is not (MemberStatus.Down or MemberStatus.Exiting)
                        ? new InitJoinAck(_cluster.SelfAddress)
                        : new InitJoinNack(_cluster.SelfAddress),
                    Self);
                break;
            case InitJoinAck ack:
                _seedJoin?.OnAck(ack.Address);
                JoinFoundSeed();
                break;
            case InitJoinNack nack:
                _seedJoin?.OnNack(nack.Address);
                JoinFoundSeed();
                break;
            case Join join:
                _core.OnJoin(join);
                break;
            case Welcome welcome:
                _core.OnWelcome(welcome);
                break;
            case ExitingConfirmed confirmed:
                _core.OnExitingConfirmed(confirmed);
                break;
        }
    }

    private void OnCommand(ICommand command)
    {
        switch (command)
        {
            case JoinTo join:
                _seeds = [];
                _seedJoin = null;
                _core.JoinTo(join.Address, Now);
                break;
            case JoinSeeds join:
                JoinSeedNodes(join.Seeds);
                break;
            case ClusterCommands.Leave leave:
                _core.Leave(leave.Address);
                break;
            case Down down:
                _core.Down(down.Address);
                break;
            case Subscribe subscribe:
                OnSubscribe(subscribe);
                break;
            case Unsubscribe unsubscribe:
                if (_subscriptions.Remove(unsubscribe.Subscriber, unsubscribe.Event))
                    Context.Unwatch(unsubscribe.Subscriber);
                break;
            case SendState send:
                send.Receiver.Tell(GossipDiff.State(_published, _core.Self), Self);
                break;
            case OnUp { Callback: var callback }:
                _onUp.Add(callback);
                if (_core.SelfStatus == MemberStatus.Up)
                    Run(_onUp);
                break;
        }
    }

    private void OnTick(Tick tick)
    {
        switch (tick)
        {
            case Tick.Gossip:
                _core.GossipTick();
                break;
            case Tick.Leader:
                _core.LeaderTick();
                break;
            case Tick.Reaper:
                _core.ReapTick(Now);
                break;
            case Tick.Heartbeat:
                _core.HeartbeatTick(Now);
                break;
            case Tick.Join:
                OnJoinTick();
                break;
        }
    }

    private void JoinSeedNodes(IReadOnlyList<Address> seeds)
    {
        if (_core.IsMember || seeds.Count == 0)
            return;
        _seeds = seeds;
        _seedJoin = new SeedJoin(_cluster.SelfAddress, seeds, _cluster.Settings.SeedNodeTimeout, Now);
        _seedTickAt = Now;
        OnJoinTick();
    }

    private void OnJoinTick()
    {
        if (_core.IsJoinOverdue(Now))
        {
            if (_seeds.Count > 0)
            {
                // Whoever answered may be gone by now: all seeds are asked again.
                _seedJoin = new SeedJoin(_cluster.SelfAddress, _seeds, _cluster.Settings.SeedNodeTimeout, Now);
            }
            _core.JoinAgain(Now);
        }
        if (_seedJoin is null || _core.IsMember || Now < _seedTickAt)
            return;
        _seedTickAt = Now + (_cluster.Settings.SeedNodeTimeout < SeedInterval ? _cluster.Settings.SeedNodeTimeout : SeedInterval);
        foreach (var (to, question) in _seedJoin.Tick(Now))
            Daemon(to).Tell(question, Self);
        JoinFoundSeed();
    }

    private void JoinFoundSeed()
    {
        if (_seedJoin?.Target is not { } target)
            return;
        _seedJoin = null;
        _core.JoinTo(target, Now);
    }

    private void OnSubscribe(Subscribe subscribe)
    {
        Context.Watch(subscribe.Subscriber);
        if (subscribe.Mode == SubscriptionInitialStateMode.InitialStateAsSnapshot)
        {
            subscribe.Subscriber.Tell(GossipDiff.State(_published, _core.Self), Self);
        }
        else
        {
            foreach (var happened in GossipDiff.Events(Gossip.Empty, _published, _core.Self))
                Subscriptions.Tell(subscribe.Subscriber, subscribe.Events, happened, Self);
        }
        _subscriptions.Add(subscribe.Subscriber, subscribe.Events);
    }

    // What every message ends with: the state is shown, its change is told, the outbox is sent.
    private void Settle()
    {
        var before = _published;
        var after = _core.Latest;
        if (!ReferenceEquals(before, after))
        {
            _published = after;
            _cluster.State = GossipDiff.State(after, _core.Self);
            foreach (var happened in GossipDiff.Events(before, after, _core.Self))
                Publish(happened);
        }
        var ends = _core.SelfStatus is MemberStatus.Down or MemberStatus.Exiting;
        if (ends)
            _core.ConfirmEnd();
        foreach (var (to, message) in _core.TakeOutbox())
            Deliver(to, message);
        if (ends)
            End();
    }

    private void Publish(IClusterDomainEvent happened)
    {
        if (_cluster.Settings.LogInfo && happened is IMemberEvent or ReachabilityEvent or LeaderChanged)
            _log.Info("Cluster Node [{0}] - {1}", _cluster.SelfAddress, happened);
        switch (happened)
        {
            case MemberJoined joined:
                _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(joined.Member.Address, IsMember: true));
                break;
            case MemberUp up:
                _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(up.Member.Address, IsMember: true));
                if (up.Member.UniqueAddress == _core.Self)
                    Run(_onUp);
                break;
            case MemberRemoved removed:
                Forget(removed);
                break;
        }
        _subscriptions.Publish(happened, Self);
    }

    private void Forget(MemberRemoved removed)
    {
        var node = removed.Member.UniqueAddress;
        _daemons.Remove(node.Address);
        if (_core.Latest.Find(node.Address) is null)
            _cluster.TellWatcher(new RemoteWatcher.LeaveToCluster(node.Address, IsMember: false));
        // A node that left in order may still say goodbye; one that was downed is never to be heard again.
        _cluster.Forget(node, quarantine: removed.PreviousStatus == MemberStatus.Down);
    }

    private void Deliver(Address to, ClusterMessage message)
    {
        if (to == _cluster.SelfAddress)
            Self.Tell(message, Self);
        else
            Daemon(to).Tell(message, Self);
    }

    private IActorRef Daemon(Address at)
    {
        if (!_daemons.TryGetValue(at, out var daemon))
        {
            daemon = _cluster.System.Provider.ResolveActorRef(new RootActorPath(at) / "system" / Name);
            _daemons.Add(at, daemon);
        }
        return daemon;
    }

    private void End()
    {
        _log.Info("Cluster Node [{0}] - this node is {1} and leaves the cluster", _cluster.SelfAddress, _core.SelfStatus);
        if (_core.SelfStatus == MemberStatus.Down)
            _cluster.Downed();
        Context.Stop(Self);
    }

    private void Run(List<Action> callbacks)
    {
        var due = callbacks.ToList();
        callbacks.Clear();
        foreach (var callback in due)
        {
            try
            {
                callback();
            }
            catch (Exception trouble)
            {
                _log.Error(trouble, "A callback on a change of this member failed");
            }
        }
    }

    private void Every(TimeSpan interval, Tick tick)
        => _timers.Add(Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            _cluster.Settings.PeriodicTasksInitialDelay, interval, Self, tick, ActorRefs.NoSender));
}
