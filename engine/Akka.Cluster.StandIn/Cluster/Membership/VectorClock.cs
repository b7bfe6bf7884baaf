using System.Collections.Immutable;

namespace Akka.Cluster.Membership;

/// <summary>How often each node has changed the gossip: tells whether one view includes another.</summary>
internal sealed class VectorClock(ImmutableSortedDictionary<UniqueAddress, long> versions)
{
    public static VectorClock Empty { get; } = new(ImmutableSortedDictionary<UniqueAddress, long>.Empty);

    public ImmutableSortedDictionary<UniqueAddress, long> Versions { get; } = versions;

    public VectorClock Increment(UniqueAddress node)
        => new(Versions.SetItem(node, Versions.GetValueOrDefault(node) + 1));

    public VectorClock Prune(IEnumerable<UniqueAddress> removed) => new(Versions.RemoveRange(removed));

    public VectorClock Merge(VectorClock that)
    {
        var merged = Versions.ToBuilder();
        foreach (var (node, version) in that.Versions)
            merged[node] = Math.Max(version, Versions.GetValueOrDefault(node));
        return new VectorClock(merged.ToImmutable());
    }

    public ClockOrder CompareTo(VectorClock that)
    {
        var less = false;
        var more = false;
        foreach (var (node, version) in Versions)
        {
            var other = that.Versions.GetValueOrDefault(node);
            less |= version < other;
            more |= version > other;
        }
        less |= that.Versions.Keys.Any(node => !Versions.ContainsKey(node));
        return (less, more) switch
        {
            (false, false) => ClockOrder.Same,
            (true, false) => ClockOrder.Before,
            (false, true) => ClockOrder.After,
            _ => ClockOrder.Concurrent,
        };
    }
}
