namespace Userfault.Simulation.Cluster;

/// <summary>How the model of a cluster's membership behaves. Times in ns.</summary>
public sealed record SimMembershipSettings
{
    /// <summary>How often a node asks every other member whether it is there.</summary>
    public long HeartbeatNs { get; init; } = 500_000_000;

    /// <summary>How long a member is silent before it is unreachable: each pair of nodes has a limit of its own, up to twice this.</summary>
    public long SilenceNs { get; init; } = 2_000_000_000;

    /// <summary>How often a node sends its view to one other member.</summary>
    public long GossipNs { get; init; } = 200_000_000;

    /// <summary>How often the leader looks for something to do.</summary>
    public long LeaderNs { get; init; } = 200_000_000;

    /// <summary>How long a node that leaves waits for the others to agree to it.</summary>
    public long LeaveNs { get; init; } = 3_000_000_000;

    /// <summary>How soon a node that nobody let in asks again.</summary>
    public long JoinNs { get; init; } = 1_000_000_000;

    /// <summary>How often a node tells one other member which topics it subscribes to.</summary>
    public long TopicsNs { get; init; } = 700_000_000;

    /// <summary>How long messages to a node are dropped after a connection to it broke or could not be made.</summary>
    public long GateNs { get; init; } = 1_000_000_000;

    /// <summary>Messages that wait for a connection; what comes behind them is dropped.</summary>
    public int MaxWaitingMessages { get; init; } = 10_000;

    /// <summary>Probability, for each heartbeat, that a member which is there is taken for silent until the next one.</summary>
    public double FalseSuspicion { get; init; }

    /// <summary>Probability, for each exchange of views or topics, that it is lost.</summary>
    public double GossipLoss { get; init; }
}
