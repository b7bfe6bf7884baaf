using Akka.Actor;

namespace Userfault.Engine.Tests;

/// <summary>A real UntypedActor: passes strings on to another actor, doubles numbers for their sender.</summary>
public sealed class Relay : UntypedActor
{
    private readonly IActorRef _next;

    public Relay(IActorRef next) => _next = next;

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case string text:
                _next.Tell(text);
                break;
            case int number:
                Sender.Tell(number * 2);
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
