using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Dispatch;

namespace Akka.TestKit.Internal;

/// <summary>A cell that shows the actor in it.</summary>
internal sealed class TestActorCell : ActorCell
{
    public TestActorCell(
        ActorSystemImpl system, IInternalActorRef self, Props props, MessageDispatcher dispatcher, IInternalActorRef parent)
        : base(system, self, props, dispatcher, parent)
    {
    }

    public ActorBase? UnderlyingActor => Actor;

    protected override void AutoReceiveMessage(Envelope envelope)
    {
        if (envelope.Message is InternalGetActor)
            Sender.Tell(Actor, Self);
        else
            base.AutoReceiveMessage(envelope);
    }
}
