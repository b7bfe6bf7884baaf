using System.Collections.Immutable;
using static Akka.Cluster.ClusterEvent;

namespace Akka.Cluster.Membership;

/// <summary>From views to what subscribers are told.</summary>
internal static class GossipDiff
{
    /// <summary>The events that lead from one view to another, in an order that only the views decide.</summary>
    public static IReadOnlyList<IClusterDomainEvent> Events(Gossip before, Gossip after, UniqueAddress self)
    {
        if (ReferenceEquals(before, after))
            return [];
        var events = new List<IClusterDomainEvent>();
        AddReachability(events, before, after, self);
        AddMembers(events, before, after);
        foreach (var role in before.Members.Concat(after.Members).SelectMany(static member => member.Roles).ToImmutableSortedSet(StringComparer.Ordinal))
        {
            var leader = after.Leader(self, role)?.Address;
            if (leader != before.Leader(self, role)?.Address)
                events.Add(new RoleLeaderChanged(role, leader));
        }
        var overall = after.Leader(self)?.Address;
        if (overall != before.Leader(self)?.Address)
            events.Add(new LeaderChanged(overall));
        return events;
    }

    public static CurrentClusterState State(Gossip gossip, UniqueAddress self)
    {
        var roles = gossip.Members.SelectMany(static member => member.Roles).Distinct();
        return new CurrentClusterState(
            gossip.Members,
            [.. Unreachable(gossip, self)],
            [.. gossip.Seen.Select(static node => node.Address)],
            gossip.Leader(self)?.Address,
            roles.ToImmutableDictionary(static role => role, role => gossip.Leader(self, role)?.Address));
    }

    private static void AddReachability(List<IClusterDomainEvent> events, Gossip before, Gossip after, UniqueAddress self)
    {
        var was = Unreachable(before, self);
        var isNow = Unreachable(after, self);
        foreach (var member in isNow.Where(member => !was.Contains(member)))
            events.Add(new UnreachableMember(member));
        foreach (var member in was.Where(member => !isNow.Contains(member)))
        {
            if (after.Find(member.UniqueAddress) is { } reached)
                events.Add(new ReachableMember(reached));
        }
    }

    private static void AddMembers(List<IClusterDomainEvent> events, Gossip before, Gossip after)
    {
        foreach (var member in before.Members)
        {
            if (!after.Has(member.UniqueAddress))
                events.Add(new MemberRemoved(member.Copy(MemberStatus.Removed), member.Status));
        }
        foreach (var member in after.Members)
        {
            if (before.Find(member.UniqueAddress)?.Status != member.Status)
                events.Add(Event(member));
        }
    }

    private static MemberStatusChange Event(Member member) => member.Status switch
    {
        MemberStatus.Joining => new MemberJoined(member),
        MemberStatus.WeaklyUp => new MemberWeaklyUp(member),
        MemberStatus.Up => new MemberUp(member),
        MemberStatus.Leaving => new MemberLeft(member),
        MemberStatus.Exiting => new MemberExited(member),
        MemberStatus.Down => new MemberDowned(member),
        _ => throw new InvalidOperationException($"{member} in a view"),
    };

    private static ImmutableSortedSet<Member> Unreachable(Gossip gossip, UniqueAddress self)
        => [.. gossip.Judged.AllUnreachable.Where(node => node != self).Select(gossip.Find).OfType<Member>()];
}
