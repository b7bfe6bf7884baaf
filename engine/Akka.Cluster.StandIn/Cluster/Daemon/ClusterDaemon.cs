using Akka.Actor;
using Akka.Cluster.Membership;
using Akka.Event;
using static Akka.Cluster.ClusterEvent;
using static Akka.Cluster.Daemon.ClusterCommands;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Akka.Cluster.Daemon;

/// <summary>
/// The actor around <see cref="MembershipCore"/>: hands it messages and the time, sends what it leaves in its outbox,
/// and tells subscribers how its view has changed. Ends when this node is no longer part of the cluster.
/// </summary>
internal sealed partial class ClusterDaemon : UntypedActor
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

    private void Every(TimeSpan interval, Tick tick)
        => _timers.Add(Context.System.Scheduler.ScheduleTellRepeatedlyCancelable(
            _cluster.Settings.PeriodicTasksInitialDelay, interval, Self, tick, ActorRefs.NoSender));
}
