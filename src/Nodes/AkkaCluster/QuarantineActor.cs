using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Remote;

namespace Userfault.Nodes;

/// <summary>
/// Handles quarantine. Once a member is given up, Akka.Remote never lets its incarnation communicate with the other
/// nodes again, in either direction. If that member is still alive, it is not notified: in its own view, all other
/// members are unreachable.
/// </summary>
/// <remarks>
/// <para>
/// A member that another member has given up ends its membership at once: it cannot return as this incarnation,
/// whatever its own rule for splits would decide later. Its next incarnation can.
/// </para>
/// <para>
/// If views differed, the two sides of a split may have given up each other. Then neither can communicate with the
/// other, and neither finds out which cluster must join which. The question is therefore asked from outside: by an
/// actor system of an incarnation that no node has given up. This actor runs on a dispatcher for blocking work, since
/// opening an actor system blocks, and opens one only if it is needed.
/// </para>
/// </remarks>
internal sealed class QuarantineActor : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "quarantine";

    private const string BlockingDispatcher = "akka.actor.default-blocking-io-dispatcher";

    // Akka.Remote's error for a connection to an incarnation that this node has given up. It reports this in no other
    // way.
    private const string Refused = "has a UID that has been quarantined";

    private readonly Akka.Cluster.Cluster _cluster;
    private readonly ConcurrentDictionary<Address, bool> _refused;
    private readonly Func<NodeSystem> _open;
    private readonly Dictionary<IActorRef, IActorRef> _answers = [];
    private NodeSystem? _outside;

    /// <summary>See <see cref="Props"/>.</summary>
    public QuarantineActor(
        Akka.Cluster.Cluster cluster,
        ConcurrentDictionary<Address, bool> refused,
        Func<NodeSystem> open
    ) => (_cluster, _refused, _open) = (cluster, refused, open);

    /// <summary>The actor; it must be named <see cref="Name"/>.</summary>
    /// <param name="cluster">The node's cluster extension.</param>
    /// <param name="refused">Filled here: the addresses of live nodes that this one has given up.</param>
    /// <param name="open">Opens an actor system that joins no cluster.</param>
    public static Props Props(
        Akka.Cluster.Cluster cluster,
        ConcurrentDictionary<Address, bool> refused,
        Func<NodeSystem> open
    ) => Akka.Actor.Props.Create(() => new QuarantineActor(cluster, refused, open)).WithDispatcher(BlockingDispatcher);

    /// <inheritdoc/>
    protected override void PreStart()
    {
        foreach (
            var heard in new[]
            {
                typeof(ThisActorSystemQuarantinedEvent),
                typeof(AssociationErrorEvent),
                typeof(AssociatedEvent),
            }
        )
        {
            Context.System.EventStream.Subscribe(Self, heard);
        }
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ThisActorSystemQuarantinedEvent given:
                // A node that is not a member here has been given up here as well.
                if (_cluster.State.Members.Any(m => m.Address.Equals(given.RemoteAddress)))
                    _cluster.Down(_cluster.SelfAddress);
                break;
            case AssociationErrorEvent error:
                if (IsRefused(error.Cause))
                    _refused[error.RemoteAddress] = true;
                break;
            case AssociatedEvent associated:
                _refused.TryRemove(associated.RemoteAddress, out _);
                break;
            case Say said:
                Tell(said);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private static bool IsRefused(Exception? cause) =>
        cause is not null
        && (cause.Message.Contains(Refused, StringComparison.Ordinal) || IsRefused(cause.InnerException));

    private void Tell(Say said)
    {
        var outside = _outside ??= Open();
        if (!_answers.TryGetValue(said.Sender, out var answers))
            _answers[said.Sender] = answers = outside.Forward(said.Sender);
        outside.Membership.Tell(said.Node, said.Actor, said.Message, answers);
    }

    private NodeSystem Open()
    {
        var outside = _open();
        CoordinatedShutdown
            .Get(Context.System)
            .AddTask(
                CoordinatedShutdown.PhaseBeforeActorSystemTerminate,
                Name,
                async () =>
                {
                    await outside.Close();
                    return Akka.Done.Instance;
                }
            );
        return outside;
    }

    /// <summary>Send this to a node that has been given up but is alive; answers go to the sender.</summary>
    public sealed record Say(Address Node, string Actor, Userfault.Actors.INodeMessage Message, IActorRef Sender);
}
