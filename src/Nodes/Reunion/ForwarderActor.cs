using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// Receives messages under a name that other nodes know, for an actor in another actor system that outlives this
/// membership.
/// </summary>
/// <param name="to">Receives every message, with its sender.</param>
public sealed class ForwarderActor(IActorRef to) : UntypedActor
{
    /// <summary>A forwarder.</summary>
    /// <param name="to">Receives every message, with its sender.</param>
    public static Props Props(IActorRef to) => Akka.Actor.Props.Create(() => new ForwarderActor(to));

    /// <inheritdoc/>
    protected override void OnReceive(object message) => to.Forward(message);
}
