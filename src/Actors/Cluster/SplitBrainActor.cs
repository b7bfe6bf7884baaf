using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Actors;

/// <summary>Waits until nothing has changed for a while, then does what <see cref="SplitBrainSide"/> decides.</summary>
public sealed class SplitBrainActor : UntypedActor
{
    private readonly TimeSpan _stableAfter;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private ICancelable? _timer;

    /// <summary>See <see cref="Props"/>.</summary>
    public SplitBrainActor(TimeSpan stableAfter) => _stableAfter = stableAfter;

    /// <summary>A resolver.</summary>
    /// <param name="stableAfter">How long nothing may change before it is decided which side stays.</param>
    public static Props Props(TimeSpan stableAfter) => Akka.Actor.Props.Create(() => new SplitBrainActor(stableAfter));

    /// <inheritdoc/>
    protected override void PreStart() => _cluster.Subscribe(
        Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent), typeof(IReachabilityEvent));

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _timer?.Cancel();
        _cluster.Unsubscribe(Self);
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        if (message is Stable) Decide();
        _timer?.Cancel();
        _timer = Context.System.Scheduler.ScheduleTellOnceCancelable(_stableAfter, Self, Stable.Instance, ActorRefs.NoSender);
    }

    private void Decide()
    {
        var state = _cluster.State;
        var members = state.Members.Where(m => m.Status != MemberStatus.Down).Select(m => new SplitBrainMember(
            m.Address, m.HasRole(NodeRoles.Destination), !state.Unreachable.Contains(m), m.Status is MemberStatus.Leaving or MemberStatus.Exiting)).ToList();
        switch (SplitBrainSide.Decide(members))
        {
            case SplitBrainDecision.DownUnreachable:
                foreach (var gone in members.Where(m => !m.IsReachable))
                {
                    _log.Warning("{0} has been out of reach for {1} s: downed", gone.Address, _stableAfter.TotalSeconds);
                    _cluster.Down(gone.Address);
                }

                break;
            case SplitBrainDecision.DownSelf:
                _log.Warning("the rest of the cluster has been out of reach for {0} s: this node goes and joins anew", _stableAfter.TotalSeconds);
                _cluster.Down(_cluster.SelfAddress);
                break;
            default:
                break;
        }
    }

    private sealed record Stable
    {
        public static readonly Stable Instance = new();
    }
}
