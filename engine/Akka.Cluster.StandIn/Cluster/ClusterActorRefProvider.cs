using Akka.Actor;
using Akka.Actor.Internal;
using Akka.Event;
using Akka.Remote;

namespace Akka.Cluster;

/// <summary>The provider behind <c>akka.actor.provider = cluster</c>.</summary>
public class ClusterActorRefProvider(string systemName, Settings settings, EventStream eventStream)
    : RemoteActorRefProvider(systemName, settings, eventStream), IClusterActorRefProvider
{
    public override void Init(ActorSystemImpl system)
    {
        base.Init(system);
        // Seed nodes are joined by starting, not by asking for the extension.
        Cluster.Get(system);
    }
}
