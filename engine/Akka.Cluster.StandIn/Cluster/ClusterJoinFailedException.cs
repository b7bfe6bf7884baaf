using Akka.Actor;

namespace Akka.Cluster;

/// <summary>The node has not become a member.</summary>
public class ClusterJoinFailedException(string message) : AkkaException(message);
