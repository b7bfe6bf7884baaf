namespace Userfault.Simulation.Cluster;

/// <summary>The settings of the membership model. Times in ns.</summary>
internal sealed record SimMembershipSettings
{
    /// <summary>Interval of a node's heartbeats to every other member.</summary>
    public long HeartbeatNs { get; init; } = 500_000_000;

    /// <summary>
    /// Minimum silence after which a member is unreachable: each pair of nodes has its own limit, up to twice this.
    /// </summary>
    public long SilenceNs { get; init; } = 2_000_000_000;

    /// <summary>Interval at which a node sends its view to another member.</summary>
    public long GossipNs { get; init; } = 200_000_000;

    /// <summary>Interval at which the leader checks for members to advance.</summary>
    public long LeaderNs { get; init; } = 200_000_000;

    /// <summary>How long a leaving node waits for the others to agree.</summary>
    public long LeaveNs { get; init; } = 3_000_000_000;

    /// <summary>Interval at which a node that has not been admitted retries.</summary>
    public long JoinNs { get; init; } = 1_000_000_000;

    /// <summary>Interval at which a node sends its subscriptions to another member.</summary>
    public long TopicsNs { get; init; } = 700_000_000;

    /// <summary>How long messages to a node are dropped after a connection to it broke or could not be made.</summary>
    public long GateNs { get; init; } = 1_000_000_000;

    /// <summary>Maximum number of messages that wait for a connection; further ones are dropped.</summary>
    public int MaxWaitingMessages { get; init; } = 10_000;

    /// <summary>
    /// Probability, per heartbeat, that a live member is considered silent until the next one.
    /// </summary>
    public double FalseSuspicion { get; init; }

    /// <summary>Probability, per exchange of views or topics, that it is lost.</summary>
    public double GossipLoss { get; init; }
}
