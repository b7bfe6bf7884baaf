namespace Userfault.Nodes;

/// <summary>What a node does about members that have been out of reach for long.</summary>
public enum SplitBrainDecision
{
    /// <summary>Nothing: all are reachable.</summary>
    Nothing,

    /// <summary>This side stays: the others are downed.</summary>
    DownUnreachable,

    /// <summary>The other side stays: this node downs itself, and joins anew when it can.</summary>
    DownSelf,
}
