using Akka.Actor;
using Akka.Actor.Internal;

namespace Akka.Cluster;

/// <summary>One <see cref="Cluster"/> an actor system.</summary>
public class ClusterExtension : ExtensionIdProvider<Cluster>
{
    public override Cluster CreateExtension(ExtendedActorSystem system) => new((ActorSystemImpl)system);
}
