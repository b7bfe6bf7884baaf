using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>Stands under a name that other nodes know, for an actor that outlives this membership in another actor system.</summary>
/// <param name="to">Who gets everything, with its sender.</param>
public sealed class ForwarderActor(IActorRef to) : UntypedActor
{
    /// <summary>A forwarder.</summary>
    /// <param name="to">Who gets everything, with its sender.</param>
    public static Props Props(IActorRef to) => Akka.Actor.Props.Create(() => new ForwarderActor(to));

    /// <inheritdoc/>
    protected override void OnReceive(object message) => to.Forward(message);
}
