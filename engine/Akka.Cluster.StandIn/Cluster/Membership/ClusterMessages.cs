using System.Collections.Immutable;
using Akka.Actor;
using Akka.Remote;

namespace Akka.Cluster.Membership;

/// <summary>The closed list of what travels between memberships.</summary>
internal static class ClusterMessages
{
    internal abstract record ClusterMessage : IClusterMessage, IUrgentMessage;

    /// <summary>Are you part of a cluster?</summary>
    public sealed record InitJoin : ClusterMessage;

    /// <summary>I am; join me.</summary>
    public sealed record InitJoinAck(Address Address) : ClusterMessage;

    /// <summary>I am not, either.</summary>
    public sealed record InitJoinNack(Address Address) : ClusterMessage;

    public sealed record Join(UniqueAddress Node, ImmutableHashSet<string> Roles) : ClusterMessage;

    public sealed record Welcome(UniqueAddress From, Gossip Gossip) : ClusterMessage;

    public sealed record GossipEnvelope(UniqueAddress From, UniqueAddress To, Gossip Gossip) : ClusterMessage;

    /// <summary>The version of a view that the other is thought to have too.</summary>
    public sealed record GossipStatus(UniqueAddress From, VectorClock Version) : ClusterMessage;

    public sealed record Heartbeat(Address From, long Sequence) : ClusterMessage;

    public sealed record HeartbeatAnswer(UniqueAddress From, long Sequence) : ClusterMessage;

    /// <summary>I have seen that I am Exiting and am leaving now.</summary>
    public sealed record ExitingConfirmed(UniqueAddress Node) : ClusterMessage;
}
