using Akka.Actor;
using Akka.TestKit.Internal;

namespace Akka.TestKit;

/// <summary>A message that was really received.</summary>
public class RealMessageEnvelope : MessageEnvelope
{
    /// <summary>Wraps <paramref name="message"/> as received from <paramref name="sender"/>.</summary>
    public RealMessageEnvelope(object message, IActorRef sender)
    {
        Message = message;
        Sender = sender;
    }

    /// <inheritdoc/>
    public override object Message { get; }

    /// <inheritdoc/>
    public override IActorRef Sender { get; }

    /// <inheritdoc/>
    public override string ToString() => $"<{Describe.Message(Message)}> from {Describe.Actor(Sender)}";
}
