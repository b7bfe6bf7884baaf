namespace Userfault.Nodes;

/// <summary>
/// Decides which side of a split cluster stays: the one with more destinations, since a running guest
/// should find its pages again soonest; of those with equally many, or none, the one with more
/// members, so that a lone destination that has died takes nobody with it; of equal sides that with the lowest address. Who is
/// leaving counts for neither side: a destination that has left in order and was not seen off holds no guest any more.
/// Plain; every node comes to the same answer for its side.
/// </summary>
public static class SplitBrainSide
{
    /// <summary>The decision of one node.</summary>
    /// <param name="members">All members that are not down.</param>
    public static SplitBrainDecision Decide(IReadOnlyCollection<SplitBrainMember> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (members.All(m => m.IsReachable)) return SplitBrainDecision.Nothing;
        var order = Weight(members, isReachable: true).CompareTo(Weight(members, isReachable: false));
        var stays = order != 0 ? order > 0 : members.MinBy(m => m.Address, AddressOrder.Instance).IsReachable;
        return stays ? SplitBrainDecision.DownUnreachable : SplitBrainDecision.DownSelf;
    }

    private static (int Destinations, int Members) Weight(IReadOnlyCollection<SplitBrainMember> members, bool isReachable)
    {
        var side = members.Where(m => m.IsReachable == isReachable && !m.IsLeaving).ToList();
        return (side.Count(m => m.IsDestination), side.Count);
    }
}
