using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>Reports every membership event that it receives.</summary>
public sealed class FollowerActor : UntypedActor
{
    private readonly Action<IMembershipEvent> _told;

    /// <summary>See <see cref="Props"/>.</summary>
    public FollowerActor(Action<IMembershipEvent> told) => _told = told;

    /// <summary>A follower.</summary>
    /// <param name="told">Called on the actor's thread.</param>
    public static Props Props(Action<IMembershipEvent> told) => Akka.Actor.Props.Create(() => new FollowerActor(told));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        if (message is IMembershipEvent said) _told(said);
        else Unhandled(message);
    }
}
