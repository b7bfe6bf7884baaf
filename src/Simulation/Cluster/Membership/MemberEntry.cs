using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>A member in a view.</summary>
/// <param name="State">Its state, which only advances.</param>
/// <param name="Roles">Its roles.</param>
/// <param name="WasDowned">Was it downed? Then no node communicates with this incarnation any more.</param>
internal readonly record struct MemberEntry(MemberState State, IReadOnlyList<string> Roles, bool WasDowned)
{
    /// <summary>If two views differ, the state further along in a member's life cycle is the newer one.</summary>
    public int Rank =>
        State switch
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

    /// <summary>Does it no longer take part in decisions?</summary>
    public bool IsGoing => State is MemberState.Exiting or MemberState.Down or MemberState.Removed;

    public MemberEntry In(MemberState state) =>
        this with
        {
            State = state,
            WasDowned = WasDowned || state == MemberState.Down,
        };

    public MemberEntry Merge(MemberEntry other) =>
        (other.Rank > Rank ? other : this) with
        {
            WasDowned = WasDowned || other.WasDowned,
        };
}
