using Akka.Actor;

namespace Akka.TestKit;

/// <summary>A pilot from a function.</summary>
public sealed class DelegateAutoPilot : AutoPilot
{
    private readonly Func<IActorRef, object, AutoPilot> _handle;

    /// <summary>A pilot that calls <paramref name="autoPilotDelegate"/> with the sender and the message.</summary>
    public DelegateAutoPilot(Func<IActorRef, object, AutoPilot> autoPilotDelegate) => _handle = autoPilotDelegate;

    /// <inheritdoc/>
    public override AutoPilot Run(IActorRef sender, object message) => _handle(sender, message);
}
