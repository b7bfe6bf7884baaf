using Akka.Actor;

namespace Akka.TestKit;

/// <summary>A reference to an actor that runs on the calling thread and can be looked at.</summary>
/// <typeparam name="TActor">The actor's type.</typeparam>
#pragma warning disable CA1036 // order of actor references is Akka's affair
public class TestActorRef<TActor> : TestActorRefBase<TActor>
#pragma warning restore CA1036
    where TActor : ActorBase
{
    /// <summary>Starts an actor below <paramref name="supervisor"/>, or below the user guardian.</summary>
    public TestActorRef(ActorSystem system, Props actorProps, IActorRef? supervisor = null, string? name = null)
        : base(system, actorProps, supervisor, name)
    {
    }
}
