using Akka.Actor;

namespace Userfault.Hostile.Tests;

/// <summary>An actor that a peer asks a node to start.</summary>
public sealed class TrapActor : UntypedActor
{
    static TrapActor() => TrapLog.Touch("the class TrapActor was initialized");

    public TrapActor() => TrapLog.Touch("a TrapActor was started");

    protected override void OnReceive(object message) => TrapLog.Touch("a TrapActor got a message");
}
