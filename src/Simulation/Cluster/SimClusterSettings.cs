using Userfault.Fetch;

namespace Userfault.Simulation.Cluster;

/// <summary>The settings of a simulated cluster.</summary>
internal sealed record SimClusterSettings
{
    /// <summary>Name of every node's actor system.</summary>
    public string SystemName { get; init; } = "userfault";

    /// <summary>The network between them.</summary>
    public SimNetworkSettings Network { get; init; } = new();

    /// <summary>Interval of a node's reports.</summary>
    public TimeSpan ReportEvery { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time after which a broken page connection is retried.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>Maximum delay of cleared bits on their way to the replicas, for merging.</summary>
    public TimeSpan ClearsEvery { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The fetch engine of fetcher nodes; null for the default settings.</summary>
    public FetchSettings? Fetcher { get; init; }

    /// <summary>
    /// Are unreachable nodes downed, by keep-destination? Otherwise they are waited for.
    /// </summary>
    public bool ResolvesSplits { get; init; }

    /// <summary>How long the membership must be unchanged before a split is resolved.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The settings of the membership.</summary>
    public SimMembershipSettings Membership { get; init; } = new();
}
