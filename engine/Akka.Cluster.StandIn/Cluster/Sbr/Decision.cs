namespace Akka.Cluster.SBR;

/// <summary>What a side of a partition does.</summary>
internal enum Decision
{
    /// <summary>This side stays; who it cannot reach is downed.</summary>
    DownUnreachable,

    /// <summary>The other side stays; this node and all it can reach go.</summary>
    DownReachable,

    /// <summary>Nobody stays.</summary>
    DownAll,
}
