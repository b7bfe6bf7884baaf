using Akka.Actor;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>One <see cref="DistributedPubSub"/> an actor system.</summary>
public class DistributedPubSubExtensionProvider : ExtensionIdProvider<DistributedPubSub>
{
    public override DistributedPubSub CreateExtension(ExtendedActorSystem system) => new(system);
}
