using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Cluster.Membership;

/// <summary>
/// One node's view of the cluster: the members, who cannot reach whom, who has seen this very view, and its version.
/// Views are merged, never voted on; when every member has seen a view nobody can change it unseen, and the leader,
/// which each node finds in the view by itself, may move members on.
/// </summary>
internal sealed record Gossip
{
    // Removals that are remembered, so that an old view does not bring a removed node back. No honest view is older.
    private const int MostTombstones = 256;

    public static Gossip Empty { get; } = new();

    public ImmutableSortedSet<Member> Members { get; init; } = [];

    public ImmutableSortedSet<UniqueAddress> Seen { get; init; } = [];

    public Reachability Reachability { get; init; } = Reachability.Empty;

    public VectorClock Version { get; init; } = VectorClock.Empty;

    /// <summary>Removed incarnations, numbered in the order of their removal.</summary>
    public ImmutableSortedDictionary<UniqueAddress, long> Tombstones { get; init; } = ImmutableSortedDictionary<UniqueAddress, long>.Empty;

    public Member? Find(UniqueAddress node)
        => Members.TryGetValue(new Member(node, 0, MemberStatus.Removed, []), out var member) && member.UniqueAddress == node ? member : null;

    public Member? Find(Address address) => Members.FirstOrDefault(member => member.Address == address);

    public bool Has(UniqueAddress node) => Find(node) is not null;

    public Gossip Put(Member member) => this with { Members = Members.Remove(member).Add(member) };

    /// <summary>This view after a change by <paramref name="node"/>, which alone has seen it.</summary>
    public Gossip ChangedBy(UniqueAddress node) => this with { Version = Version.Increment(node), Seen = [node] };

    public Gossip SeenBy(UniqueAddress node) => this with { Seen = Seen.Add(node) };

    public Gossip MergeSeen(Gossip that) => this with { Seen = Seen.Union(that.Seen) };

    public Gossip Remove(Member member)
    {
        var number = Tombstones.Count == 0 ? 1 : Tombstones.Values.Max() + 1;
        return (this with { Members = Members.Remove(member), Tombstones = Trim(Tombstones.SetItem(member.UniqueAddress, number)) }).Tidied();
    }

    public Gossip Merge(Gossip that)
    {
        var tombstones = Tombstones.ToBuilder();
        foreach (var (node, number) in that.Tombstones)
            tombstones[node] = Math.Max(number, Tombstones.GetValueOrDefault(node));
        var members = Members;
        foreach (var member in that.Members)
            members = members.TryGetValue(member, out var mine) ? members.Remove(mine).Add(Further(mine, member)) : members.Add(member);
        var merged = this with
        {
            Tombstones = Trim(tombstones.ToImmutable()),
            Members = [.. members.Where(member => !tombstones.ContainsKey(member.UniqueAddress))],
            Reachability = Reachability.Merge(that.Reachability),
            Version = Version.Merge(that.Version),
            Seen = [],
        };
        return merged.Tidied();
    }

    /// <summary>The versions compared without the nodes that either view knows to be removed.</summary>
    public ClockOrder CompareTo(VectorClock version, IEnumerable<UniqueAddress> removed)
    {
        var gone = removed.Concat(Tombstones.Keys).ToList();
        return Version.Prune(gone).CompareTo(version.Prune(gone));
    }

    /// <summary>Reachability as far as it counts: what a node says that is Down itself does not.</summary>
    public Reachability Judged => Reachability.WithoutObservers(node => Find(node) is null or { Status: MemberStatus.Down });

    /// <summary>
    /// Has every member that is to see a view seen this one? Nobody may be unreachable then but who is on the way out.
    /// </summary>
    public bool IsConvergence(UniqueAddress self)
    {
        foreach (var node in Judged.AllUnreachable)
        {
            if (node != self && Find(node) is { Status: not (MemberStatus.Down or MemberStatus.Exiting) })
                return false;
        }
        return Members.All(member => member.Status is not (MemberStatus.Up or MemberStatus.Leaving) || Seen.Contains(member.UniqueAddress));
    }

    /// <summary>
    /// The first reachable member by address that is Up or Leaving, or, where there is none, the first of the others.
    /// </summary>
    public Member? Leader(UniqueAddress self, string? role = null)
    {
        var reachability = Judged;
        var able = Members
            .Where(member => role is null || member.HasRole(role))
            .Where(member => member.Status != MemberStatus.Down)
            .Where(member => member.UniqueAddress == self || reachability.IsReachable(member.UniqueAddress))
            .ToList();
        return able.Find(static member => member.Status is MemberStatus.Up or MemberStatus.Leaving)
            ?? able.OrderBy(static member => Rank(member.Status)).FirstOrDefault();
    }

    // Where two views know the same member differently, the one that is further in its life is true.
    private static Member Further(Member mine, Member theirs)
    {
        if (mine.Status == theirs.Status)
            return mine.UpNumber <= theirs.UpNumber ? mine : theirs;
        return Progress(mine.Status) > Progress(theirs.Status) ? mine : theirs;
    }

    private static int Progress(MemberStatus status) => status switch
    {
        MemberStatus.Joining => 0,
        MemberStatus.WeaklyUp => 1,
        MemberStatus.Up => 2,
        MemberStatus.Leaving => 3,
        MemberStatus.Exiting => 4,
        MemberStatus.Down => 5,
        _ => 6,
    };

    private static int Rank(MemberStatus status) => status switch
    {
        MemberStatus.WeaklyUp => 1,
        MemberStatus.Joining => 2,
        _ => 3,
    };

    private static ImmutableSortedDictionary<UniqueAddress, long> Trim(ImmutableSortedDictionary<UniqueAddress, long> tombstones)
        => tombstones.Count <= MostTombstones
            ? tombstones
            : tombstones.OrderByDescending(static entry => entry.Value).Take(MostTombstones).ToImmutableSortedDictionary();

    private Gossip Tidied() => this with
    {
        Reachability = Reachability.Keep(Has),
        Seen = [.. Seen.Where(Has)],
        Version = Version.Prune(Tombstones.Keys),
    };
}
