using Akka.Actor;
using Akka.Cluster.Serialization;

namespace Userfault.Nodes;

/// <summary>
/// What members tell each other to keep the membership. Not among it: Leave and Down, which a node only tells itself, so that
/// no peer takes out another by one message; heartbeats of former versions; and routers, which hold a payload of any kind.
/// </summary>
/// <param name="system">The actor system.</param>
internal sealed class GossipSerializer(ExtendedActorSystem system) : AllowListSerializer(
    system,
    identifier: 5,
    new ClusterMessageSerializer(system),
    new HashSet<string>
    {
        "HB",
        "HBR",
        "Akka.Cluster.GossipEnvelope, Akka.Cluster",
        "Akka.Cluster.GossipStatus, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+InitJoin, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+InitJoinAck, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+InitJoinNack, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster",
        "Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster",
    });
