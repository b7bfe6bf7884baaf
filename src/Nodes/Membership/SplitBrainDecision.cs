namespace Userfault.Nodes;

/// <summary>The action of a node after members have been unreachable for long.</summary>
public enum SplitBrainDecision
{
    /// <summary>Nothing: all are reachable.</summary>
    Nothing,

    /// <summary>This side stays: the others are downed.</summary>
    DownUnreachable,

    /// <summary>The other side stays: this node downs itself, and rejoins when it can.</summary>
    DownSelf,
}
