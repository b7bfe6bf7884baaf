using System.Collections.Concurrent;
using Akka.Actor;
using Akka.Remote;

namespace Userfault.Nodes;

/// <summary>
/// Does what has to be done about quarantine. Once a member is given up, Akka.Remote never lets its incarnation talk to the others again,
/// in either direction, and the member that lives all the same hears nothing of it: its view says that all others are unreachable.
/// </summary>
/// <remarks>
/// <para>
/// A member that another member has given up ends its membership at once: it cannot come back as this incarnation, whatever its own
/// rule for splits would decide later. Its next incarnation may.
/// </para>
/// <para>
/// Where views differed, both sides of a split may have given up each other. Neither may talk to the other then, and neither finds out
/// which cluster is to join which. So an answer is fetched from outside: by an actor system of an incarnation that nobody has given
/// up. It lives on a dispatcher for blocking work, since to open an actor system is that, and only where it is needed.
/// </para>
/// </remarks>
internal sealed class QuarantineActor : UntypedActor
{
    /// <summary>Its name under /user.</summary>
    public const string Name = "quarantine";

    private const string BlockingDispatcher = "akka.actor.default-blocking-io-dispatcher";

    // What Akka.Remote says of a connection to an incarnation that this node has given up. It has no other way of saying so.
    private const string Refused = "has a UID that has been quarantined";

    private readonly Akka.Cluster.Cluster _cluster;
    private readonly ConcurrentDictionary<Address, bool> _refused;
    private readonly Func<NodeSystem> _open;
    private readonly Dictionary<IActorRef, IActorRef> _answers = [];
    private NodeSystem? _outside;

    /// <summary>See <see cref="Props"/>.</summary>
    public QuarantineActor(Akka.Cluster.Cluster cluster, ConcurrentDictionary<Address, bool> refused, Func<NodeSystem> open) =>
        (_cluster, _refused, _open) = (cluster, refused, open);

    /// <summary>The actor; to be named <see cref="Name"/>.</summary>
    /// <param name="cluster">The node's cluster extension.</param>
    /// <param name="refused">Filled here: where nodes live that this one has given up.</param>
    /// <param name="open">Opens an actor system that joins no cluster.</param>
    public static Props Props(Akka.Cluster.Cluster cluster, ConcurrentDictionary<Address, bool> refused, Func<NodeSystem> open) =>
        Akka.Actor.Props.Create(() => new QuarantineActor(cluster, refused, open)).WithDispatcher(BlockingDispatcher);

    /// <inheritdoc/>
    protected override void PreStart()
    {
        foreach (var heard in new[] { typeof(ThisActorSystemQuarantinedEvent), typeof(AssociationErrorEvent), typeof(AssociatedEvent) })
            Context.System.EventStream.Subscribe(Self, heard);
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case ThisActorSystemQuarantinedEvent given:
                // A node that is no member here was given up here as well.
                if (_cluster.State.Members.Any(m => m.Address.Equals(given.RemoteAddress))) _cluster.Down(_cluster.SelfAddress);
                break;
            case AssociationErrorEvent error:
                if (IsRefused(error.Cause)) _refused[error.RemoteAddress] = true;
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
        cause is not null && (cause.Message.Contains(Refused, StringComparison.Ordinal) || IsRefused(cause.InnerException));

    private void Tell(Say said)
    {
        var outside = _outside ??= Open();
        if (!_answers.TryGetValue(said.Sender, out var answers)) _answers[said.Sender] = answers = outside.Forward(said.Sender);
        outside.Membership.Tell(said.Node, said.Actor, said.Message, answers);
    }

    private NodeSystem Open()
    {
        var outside = _open();
        CoordinatedShutdown.Get(Context.System).AddTask(CoordinatedShutdown.PhaseBeforeActorSystemTerminate, Name, async () =>
        {
            await outside.Close();
            return Akka.Done.Instance;
        });
        return outside;
    }

    /// <summary>Tell this to a node that has been given up and lives all the same; answers go to the sender.</summary>
    public sealed record Say(Address Node, string Actor, Userfault.Actors.INodeMessage Message, IActorRef Sender);
}
