using Userfault.Fetch;

namespace Userfault.Simulation.Cluster;

/// <summary>How the nodes of a simulated cluster are set up.</summary>
public sealed record SimClusterSettings
{
    /// <summary>Name of every node's actor system.</summary>
    public string SystemName { get; init; } = "userfault";

    /// <summary>The network between them.</summary>
    public SimNetworkSettings Network { get; init; } = new();

    /// <summary>How often a node tells what it serves.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long after a page connection broke it is tried again.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How long cleared bits wait for others to travel to the replicas with them.</summary>
    public TimeSpan ClearsEvery { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How fetcher nodes ask sources; null is as nodes do by default.</summary>
    public FetchSettings? Fetcher { get; init; }

    /// <summary>Are nodes downed that stay away, by keep-destination? Otherwise an unreachable node waits to come back.</summary>
    public bool ResolvesSplits { get; init; }

    /// <summary>How long nothing may change before it is decided which side of a split stays.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How the membership behaves.</summary>
    public SimMembershipSettings Membership { get; init; } = new();
}
