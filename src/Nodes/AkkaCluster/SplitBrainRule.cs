namespace Userfault.Nodes;

/// <summary>The rule that decides what happens to a cluster that splits.</summary>
public enum SplitBrainRule
{
    /// <summary>The side with more destinations stays, see <see cref="SplitBrainSide"/>.</summary>
    KeepDestination,

    /// <summary>Akka.Cluster's own resolver: the side with more members stays.</summary>
    KeepMajority,

    /// <summary>No member is downed: the cluster waits for unreachable members.</summary>
    Off,
}
