using System.Collections.Immutable;

namespace Akka.Cluster.SBR;

/// <summary>The sides of a partition as one node sees them.</summary>
internal sealed record SplitBrainView(
    UniqueAddress Self, ImmutableSortedSet<Member> Members, ImmutableSortedSet<UniqueAddress> Unreachable, ImmutableSortedSet<UniqueAddress> Seen)
{
    public static SplitBrainView From(ClusterEvent.CurrentClusterState state, UniqueAddress self) => new(
        self,
        state.Members,
        // Who is Down already is being dealt with.
        [.. state.Unreachable.Where(static member => member.Status != MemberStatus.Down).Select(static member => member.UniqueAddress)],
        [.. state.Members.Where(member => state.SeenBy.Contains(member.Address)).Select(static member => member.UniqueAddress)]);

    /// <summary>
    /// Nodes that somebody cannot reach and that yet have seen the newest view: their links are broken in part. They
    /// belong to no side, and whichever side stays downs them.
    /// </summary>
    public ImmutableSortedSet<UniqueAddress> HalfConnected => Unreachable.Intersect(Seen);

    public IEnumerable<Member> Deciding(string role)
        => Members.Where(member => member.Status is MemberStatus.Up or MemberStatus.Leaving)
            .Where(member => role.Length == 0 || member.HasRole(role))
            .Where(member => !HalfConnected.Contains(member.UniqueAddress));

    public bool IsReachable(Member member) => !Unreachable.Contains(member.UniqueAddress);
}
