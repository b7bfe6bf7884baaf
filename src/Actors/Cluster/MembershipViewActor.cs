using Akka.Actor;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Actors;

/// <summary>
/// Passes a node's view of its cluster on to an actor that outlives this membership. What is said before the node is a member,
/// or once its membership is over and the others go one by one, is no view: they are where they were.
/// </summary>
public sealed class MembershipViewActor : UntypedActor
{
    private readonly IActorRef _listener;
    private readonly Akka.Cluster.Cluster _cluster = Akka.Cluster.Cluster.Get(Context.System);
    private bool _isOver;

    /// <summary>See <see cref="Props"/>.</summary>
    public MembershipViewActor(IActorRef listener) => _listener = listener;

    /// <summary>A passer-on, that waits for <see cref="NodeProtocol.NodesChanged"/> of its own node.</summary>
    /// <param name="listener">Who is told; may belong to another actor system of this process.</param>
    public static Props Props(IActorRef listener) => Akka.Actor.Props.Create(() => new MembershipViewActor(listener));

    /// <inheritdoc/>
    protected override void PreStart() => _cluster.Subscribe(
        Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterShuttingDown));

    /// <inheritdoc/>
    protected override void PostStop() => _cluster.Unsubscribe(Self);

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ClusterShuttingDown:
                _isOver = true;
                break;
            case NodeProtocol.NodesChanged changed:
                if (!_isOver && changed.Nodes.Any(n => n.Address.Equals(_cluster.SelfAddress))) _listener.Tell(changed, Sender);
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
