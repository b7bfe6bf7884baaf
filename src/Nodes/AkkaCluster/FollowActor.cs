using Akka.Actor;
using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Nodes;

/// <summary>
/// Translates the events of Akka.Cluster into <see cref="IMembershipEvent"/>, and announces the end of the membership
/// exactly once, however it ends.
/// </summary>
internal sealed class FollowActor : UntypedActor
{
    private readonly Akka.Cluster.Cluster _cluster;
    private readonly IActorRef _listener;
    private readonly IncarnationOrder _order = new();
    private bool _isOver;

    /// <summary>See <see cref="Props"/>.</summary>
    public FollowActor(Akka.Cluster.Cluster cluster, IActorRef listener) => (_cluster, _listener) = (cluster, listener);

    /// <summary>A follower that lives as long as its actor system.</summary>
    public static Props Props(Akka.Cluster.Cluster cluster, IActorRef listener) =>
        Akka.Actor.Props.Create(() => new FollowActor(cluster, listener));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _cluster.Subscribe(
            Self,
            SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(IMemberEvent),
            typeof(IReachabilityEvent),
            typeof(ClusterShuttingDown)
        );
        // A cluster that has ended ignores the subscription. One that ends between these two lines takes its actor
        // system with it, and PostStop announces the end.
        if (_cluster.IsTerminated)
            End();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _cluster.Unsubscribe(Self);
        End();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            // A node that is removed sees the other members removed one by one: that is no view of the cluster.
            case ClusterShuttingDown:
            case MemberRemoved removed when removed.Member.UniqueAddress.Equals(_cluster.SelfUniqueAddress):
                End();
                break;
            case IMemberEvent changed:
                foreach (var told in _order.Next(ChangeOf(changed.Member)))
                    Say(told);
                break;
            case UnreachableMember unreachable:
                Say(new ReachabilityChanged(AkkaMembership.IdOf(unreachable.Member.UniqueAddress), IsReachable: false));
                break;
            case ReachableMember reachable:
                Say(new ReachabilityChanged(AkkaMembership.IdOf(reachable.Member.UniqueAddress), IsReachable: true));
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Say(IMembershipEvent said)
    {
        if (!_isOver)
            _listener.Tell(said, ActorRefs.NoSender);
    }

    private void End()
    {
        Say(MembershipEnded.Instance);
        _isOver = true;
    }

    private static MemberChanged ChangeOf(Member member) =>
        new(
            AkkaMembership.IdOf(member.UniqueAddress),
            [.. member.Roles.Order(StringComparer.Ordinal)],
            StateOf(member.Status)
        );

    private static MemberState StateOf(MemberStatus status) =>
        status switch
        {
            MemberStatus.Joining => MemberState.Joining,
            MemberStatus.WeaklyUp => MemberState.WeaklyUp,
            MemberStatus.Up => MemberState.Up,
            MemberStatus.Leaving => MemberState.Leaving,
            MemberStatus.Exiting => MemberState.Exiting,
            MemberStatus.Down => MemberState.Down,
            MemberStatus.Removed => MemberState.Removed,
            _ => throw new InvalidOperationException($"a member that is {status}"),
        };
}
