using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// One node's view of a cluster: every incarnation that it has ever learned of, and which members have lost contact
/// with which. Views only grow: two that are merged in any order, any number of times, become equal. No time, no
/// randomness.
/// </summary>
internal sealed class MemberView
{
    private readonly SortedDictionary<NodeId, MemberEntry> _members = new(NodeOrder.Instance);
    private readonly SortedDictionary<(NodeId Observer, NodeId Subject), Sight> _sights = new(PairOrder.Instance);

    private readonly record struct Sight(long Version, bool IsLost);

    /// <summary>All nodes that were ever members, in order.</summary>
    public IEnumerable<KeyValuePair<NodeId, MemberEntry>> All => _members;

    /// <summary>The current members, in order.</summary>
    public IEnumerable<KeyValuePair<NodeId, MemberEntry>> Members => _members.Where(static m => m.Value.IsMember);

    /// <summary>Two views with the same digest have the same members in the same states.</summary>
    public ulong Digest
    {
        get
        {
            var hash = SimHash.Start;
            foreach (var (node, entry) in _members)
            {
                hash = SimHash.Add(hash, SimHash.Of(node.Address.Host!));
                hash = SimHash.Add(hash, (ulong)node.Incarnation);
                hash = SimHash.Add(hash, (ulong)entry.Rank * 2 + (entry.WasDowned ? 1UL : 0));
            }

            return hash;
        }
    }

    public MemberEntry? Find(NodeId node) => _members.TryGetValue(node, out var entry) ? entry : null;

    public void Set(NodeId node, MemberEntry entry) => _members[node] = entry;

    /// <summary>Is there no member, except downed and removed ones, that has lost contact with this one?</summary>
    public bool IsReachable(NodeId node) =>
        !_sights.Any(s =>
            s.Value.IsLost
            && s.Key.Subject == node
            && _members.TryGetValue(s.Key.Observer, out var observer)
            && observer.State is not (MemberState.Down or MemberState.Removed)
        );

    /// <summary>Has one member lost contact with another?</summary>
    public bool HasLost(NodeId observer, NodeId subject) => _sights.GetValueOrDefault((observer, subject)).IsLost;

    /// <summary>Records whether one node sees another; true if that changes the view.</summary>
    public bool Observe(NodeId observer, NodeId subject, bool isLost)
    {
        var known = _sights.GetValueOrDefault((observer, subject));
        if (known.IsLost == isLost)
            return false;
        _sights[(observer, subject)] = new Sight(known.Version + 1, isLost);
        return true;
    }

    public MemberView Copy()
    {
        var copy = new MemberView();
        copy.Merge(this);
        return copy;
    }

    /// <summary>Takes over everything that is newer in another view.</summary>
    public void Merge(MemberView other)
    {
        foreach (var (node, entry) in other._members)
            _members[node] = _members.TryGetValue(node, out var known) ? known.Merge(entry) : entry;
        foreach (var (pair, sight) in other._sights)
        {
            if (sight.Version > _sights.GetValueOrDefault(pair).Version)
                _sights[pair] = sight;
        }
    }

    private sealed class NodeOrder : IComparer<NodeId>
    {
        public static readonly NodeOrder Instance = new();

        public int Compare(NodeId? x, NodeId? y)
        {
            var byAddress = AddressOrder.Instance.Compare(x?.Address, y?.Address);
            return byAddress != 0 ? byAddress : (x?.Incarnation ?? 0).CompareTo(y?.Incarnation ?? 0);
        }
    }

    private sealed class PairOrder : IComparer<(NodeId Observer, NodeId Subject)>
    {
        public static readonly PairOrder Instance = new();

        public int Compare((NodeId Observer, NodeId Subject) x, (NodeId Observer, NodeId Subject) y)
        {
            var byObserver = NodeOrder.Instance.Compare(x.Observer, y.Observer);
            return byObserver != 0 ? byObserver : NodeOrder.Instance.Compare(x.Subject, y.Subject);
        }
    }
}
