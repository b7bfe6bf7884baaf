using Akka.Actor;

namespace Userfault.Cluster.Tests;

/// <summary>Sends back whatever it is told.</summary>
internal sealed class Echo : UntypedActor
{
    protected override void OnReceive(object message) => Sender.Tell(message);
}
