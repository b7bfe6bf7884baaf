namespace Userfault.Cli;

/// <summary>What happens to a node's membership. Its name stands in the node's lines, before the details.</summary>
internal enum NodeEvent
{
    /// <summary>The cluster went on without this node, which joins again.</summary>
    CutOff,

    /// <summary>The cluster that this node was cut off from was found, and it joins that.</summary>
    ClusterFound,

    /// <summary>It was not let in yet, and tries again.</summary>
    Retries,
}
