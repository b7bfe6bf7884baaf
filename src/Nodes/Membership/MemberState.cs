namespace Userfault.Nodes;

/// <summary>A member's place in its life, in order; numbers are those of the wire.</summary>
public enum MemberState
{
    /// <summary>It has been let in; not all members know it.</summary>
    Joining = 0,

    /// <summary>All that are reachable know it.</summary>
    Up = 1,

    /// <summary>It has said that it goes.</summary>
    Leaving = 2,

    /// <summary>All know that it goes.</summary>
    Exiting = 3,

    /// <summary>It was given up.</summary>
    Down = 4,

    /// <summary>It is a member no more.</summary>
    Removed = 5,

    /// <summary>It has been let in while other members were unreachable.</summary>
    WeaklyUp = 6,
}
