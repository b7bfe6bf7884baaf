namespace Userfault.Nodes;

/// <summary>
/// Decides which side of a split cluster stays: the one with more destinations, so that a running guest regains its
/// pages soonest; if these are equal, the one with more members, so that a lone destination that died takes no other
/// node down with it; if these are equal too, the one with the lowest address. Members that are leaving count for
/// neither side: a destination that left in order, but whose departure not every member has seen, holds no guest any
/// more. No I/O; the nodes of one side reach the same decision.
/// </summary>
internal static class SplitBrainSide
{
    /// <summary>The decision of one node.</summary>
    /// <param name="members">All members that are not down.</param>
    public static SplitBrainDecision Decide(IReadOnlyCollection<SplitBrainMember> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (members.All(m => m.IsReachable))
            return SplitBrainDecision.Nothing;
        var order = Weight(members, isReachable: true).CompareTo(Weight(members, isReachable: false));
        var stays = order != 0 ? order > 0 : members.MinBy(m => m.Address, AddressOrder.Instance).IsReachable;
        return stays ? SplitBrainDecision.DownUnreachable : SplitBrainDecision.DownSelf;
    }

    private static (int Destinations, int Members) Weight(
        IReadOnlyCollection<SplitBrainMember> members,
        bool isReachable
    )
    {
        var side = members.Where(m => m.IsReachable == isReachable && !m.IsLeaving).ToList();
        return (side.Count(m => m.IsDestination), side.Count);
    }
}
