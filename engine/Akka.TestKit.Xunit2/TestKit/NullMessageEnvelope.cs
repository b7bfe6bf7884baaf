using Akka.Actor;

namespace Akka.TestKit;

/// <summary>Stands for the last message while there is none: no message and no sender.</summary>
public sealed class NullMessageEnvelope : MessageEnvelope
{
    /// <summary>The only one there is.</summary>
    public static readonly NullMessageEnvelope Instance = new();

    private NullMessageEnvelope()
    {
    }

    /// <inheritdoc/>
    public override object Message => null!;

    /// <inheritdoc/>
    public override IActorRef Sender => ActorRefs.NoSender;

    /// <inheritdoc/>
    public override string ToString() => "<no message>";
}
