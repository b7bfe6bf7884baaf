using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>
/// Who cannot reach whom. Each observer alone writes its own row and counts its changes, so that of two versions of a
/// row the one with the higher count is true.
/// </summary>
internal sealed class Reachability(ImmutableSortedDictionary<UniqueAddress, Reachability.Row> rows)
{
    public static Reachability Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, Row>.Empty);

    internal sealed record Row(long Version, ImmutableSortedSet<UniqueAddress> Unreachable);

    public ImmutableSortedDictionary<UniqueAddress, Row> Rows { get; } = rows;

    /// <summary>All nodes that at least one observer cannot reach.</summary>
    public ImmutableSortedSet<UniqueAddress> AllUnreachable
        => Rows.Values.SelectMany(static row => row.Unreachable).ToImmutableSortedSet();

    public bool IsUnreachable(UniqueAddress observer, UniqueAddress subject)
        => Rows.TryGetValue(observer, out var row) && row.Unreachable.Contains(subject);

    public bool IsReachable(UniqueAddress subject) => Rows.Values.All(row => !row.Unreachable.Contains(subject));

    public Reachability With(UniqueAddress observer, UniqueAddress subject, bool reachable)
    {
        var row = Rows.GetValueOrDefault(observer) ?? new Row(0, []);
        if (row.Unreachable.Contains(subject) != reachable)
            return this;
        var subjects = reachable ? row.Unreachable.Remove(subject) : row.Unreachable.Add(subject);
        return new Reachability(Rows.SetItem(observer, new Row(row.Version + 1, subjects)));
    }

    /// <summary>Without what the observers say that are chosen here.</summary>
    public Reachability WithoutObservers(Func<UniqueAddress, bool> chosen)
        => new(Rows.RemoveRange(Rows.Keys.Where(chosen).ToList()));

    /// <summary>Without a trace of nodes that are no members.</summary>
    public Reachability Keep(Func<UniqueAddress, bool> isMember)
    {
        var kept = Rows.ToBuilder();
        foreach (var (observer, row) in Rows)
        {
            if (!isMember(observer))
                kept.Remove(observer);
            else if (row.Unreachable.Any(subject => !isMember(subject)))
                kept[observer] = row with { Unreachable = [.. row.Unreachable.Where(isMember)] };
        }
        return new Reachability(kept.ToImmutable());
    }

    public Reachability Merge(Reachability that)
    {
        var merged = Rows.ToBuilder();
        foreach (var (observer, row) in that.Rows)
        {
            if (!merged.TryGetValue(observer, out var mine) || row.Version > mine.Version)
                merged[observer] = row;
        }
        return new Reachability(merged.ToImmutable());
    }
}
