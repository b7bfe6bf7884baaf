using Akka.Actor;

namespace Akka.TestKit.TestActors;

/// <summary>Handles no message at all.</summary>
public class UnhandledMessageActor : ActorBase
{
    /// <summary>How to start one.</summary>
    public static Props Props { get; } = Props.Create<UnhandledMessageActor>();

    /// <inheritdoc/>
    protected override bool Receive(object message) => false;
}
