namespace Userfault.Nodes;

/// <summary>What becomes of a cluster that falls apart.</summary>
public enum SplitBrainRule
{
    /// <summary>The side with more destinations stays, see <see cref="SplitBrainSide"/>.</summary>
    KeepDestination,

    /// <summary>Akka.Cluster's own resolver: the side with more members stays.</summary>
    KeepMajority,

    /// <summary>No member is downed: who is away is waited for.</summary>
    Off,
}
