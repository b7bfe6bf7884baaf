using Akka.Actor;

namespace Akka.TestKit;

/// <summary>A message that reached a test actor, with the actor it came from.</summary>
public abstract class MessageEnvelope
{
#nullable disable annotations // the official kit says nothing about null here: both may be null
    /// <summary>The message.</summary>
    public abstract object Message { get; }

    /// <summary>Who sent it.</summary>
    public abstract IActorRef Sender { get; }
#nullable restore annotations
}
