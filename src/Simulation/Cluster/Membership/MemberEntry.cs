using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>A member as a view has it.</summary>
/// <param name="State">Its place in its life; goes one way.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="WasDowned">Was it given up? Then nobody talks to this incarnation any more.</param>
internal readonly record struct MemberEntry(MemberState State, IReadOnlyList<string> Roles, bool WasDowned)
{
    /// <summary>Where two views differ, the state further on in a member's life is the newer one.</summary>
    public int Rank => State switch
    {
        MemberState.Joining => 0,
        MemberState.WeaklyUp => 1,
        MemberState.Up => 2,
        MemberState.Leaving => 3,
        MemberState.Exiting => 4,
        MemberState.Down => 5,
        _ => 6,
    };

    public bool IsMember => State != MemberState.Removed;

    /// <summary>Has it no say any more?</summary>
    public bool IsGoing => State is MemberState.Exiting or MemberState.Down or MemberState.Removed;

    public MemberEntry In(MemberState state) => this with { State = state, WasDowned = WasDowned || state == MemberState.Down };

    public MemberEntry Merge(MemberEntry other) =>
        (other.Rank > Rank ? other : this) with { WasDowned = WasDowned || other.WasDowned };
}
