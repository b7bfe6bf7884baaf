using Akka.Actor;

namespace Userfault.Simulation;

/// <summary>Something that falls due: a message to be told, or a call.</summary>
/// <param name="Label">Whose it is, for the run's hash and for messages.</param>
/// <param name="Action">The call; null where a message is told.</param>
/// <param name="Receiver">Who is told.</param>
/// <param name="Message">What is told.</param>
/// <param name="Sender">From whom.</param>
/// <param name="Cancelable">Says whether it still counts; null where it always does.</param>
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
