using Akka.Actor;

namespace Akka.TestKit.TestActors;

/// <summary>Passes every message on, in the name of who sent it.</summary>
public class ForwardActor : ActorBase
{
    private readonly IActorRef _ref;

    /// <summary>Passes on to <paramref name="ref"/>.</summary>
    public ForwardActor(IActorRef @ref) => _ref = @ref;

    /// <summary>How to start one.</summary>
    public static Props Props(IActorRef @ref) => Actor.Props.Create(() => new ForwardActor(@ref));

    /// <inheritdoc/>
    protected override bool Receive(object message)
    {
        _ref.Forward(message);
        return true;
    }
}
