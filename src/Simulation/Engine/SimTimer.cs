using Akka.Actor;

namespace Userfault.Simulation;

/// <summary>A timer: a message to send, or a call.</summary>
/// <param name="Label">Identifies its owner, for the run's hash and for messages.</param>
/// <param name="Action">The call; null if a message is sent.</param>
/// <param name="Receiver">The receiver of the message.</param>
/// <param name="Message">The message.</param>
/// <param name="Sender">The sender of the message.</param>
/// <param name="Cancelable">Cancels the timer; null if it cannot be cancelled.</param>
internal readonly record struct SimTimer(
    SimLabel Label,
    Action? Action,
    ICanTell? Receiver,
    object? Message,
    IActorRef? Sender,
    ICancelable? Cancelable
)
{
    public void Fire()
    {
        if (Cancelable is { IsCancellationRequested: true })
            return;
        if (Action is not null)
            Action();
        else
            Receiver!.Tell(Message!, Sender ?? ActorRefs.NoSender);
    }
}
