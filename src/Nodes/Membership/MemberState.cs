namespace Userfault.Nodes;

/// <summary>The state of a member, in order of its life cycle; the numbers are those of the wire.</summary>
public enum MemberState
{
    /// <summary>It has been admitted; not all members know it yet.</summary>
    Joining = 0,

    /// <summary>All reachable members know it.</summary>
    Up = 1,

    /// <summary>It has announced that it leaves.</summary>
    Leaving = 2,

    /// <summary>All members know that it leaves.</summary>
    Exiting = 3,

    /// <summary>It was given up.</summary>
    Down = 4,

    /// <summary>It is no longer a member.</summary>
    Removed = 5,

    /// <summary>It has been admitted while other members were unreachable.</summary>
    WeaklyUp = 6,
}
