using Akka.Actor;
using Akka.Cluster;

namespace Userfault.Actors;

/// <summary>
/// Decides which side of a split cluster stays: the one with more destinations, since a destination holds a running guest's
/// only copy and cannot begin again, while sources and fetchers can; without any destination the one with more members.
/// Of equal sides that with the lowest address. Plain; every node comes to the same answer for its side.
/// </summary>
public static class SplitBrainSide
{
    /// <summary>The decision of one node.</summary>
    /// <param name="members">All members: address, whether it is a destination, whether this node reaches it.</param>
    /// <param name="isDestination">Is this node a destination? It never downs itself.</param>
    public static SplitBrainDecision Decide(
        IReadOnlyCollection<(Address Address, bool IsDestination, bool IsReachable)> members, bool isDestination)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (members.All(m => m.IsReachable)) return SplitBrainDecision.Nothing;
        var deciding = members.Any(m => m.IsDestination) ? members.Where(m => m.IsDestination).ToList() : [.. members];
        var here = deciding.Count(m => m.IsReachable);
        var there = deciding.Count - here;
        var stays = here != there ? here > there : deciding.MinBy(m => m.Address, Member.AddressOrdering).IsReachable;
        return stays ? SplitBrainDecision.DownUnreachable : isDestination ? SplitBrainDecision.Nothing : SplitBrainDecision.DownSelf;
    }
}
