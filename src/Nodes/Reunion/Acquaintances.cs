using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// The nodes that a node has shared a cluster with, over all its incarnations, so that a cluster that split can merge
/// again. Nodes that left in order are forgotten; any other node that disappeared may only have been unreachable. No
/// I/O; one thread at a time.
/// </summary>
/// <param name="named">The nodes that it was configured to join; without any, it may start a cluster of its
/// own.</param>
public sealed class Acquaintances(IReadOnlyList<Address> named)
{
    /// <summary>
    /// Maximum number of strays remembered: destinations come and go, each with an address of its own.
    /// </summary>
    public const int MaxStrays = 64;

    private readonly List<Address> _strays = [];
    private IReadOnlyList<ClusterNode> _members = [];
    private Address? _self;
    private bool _isRefused;
    private Address? _first;

    /// <summary>
    /// May this node start a cluster if no node that it knows admits it? Only one part of a split cluster does so.
    /// </summary>
    public bool IsFounder => named.Count == 0;

    /// <summary>
    /// Is one of <see cref="Seeds"/> known to be in a cluster now? Then waiting to be admitted is worthwhile.
    /// </summary>
    public bool HasFound => _first is not null;

    /// <summary>Nodes that were members and disappeared without leaving, the latest last.</summary>
    public IReadOnlyList<Address> Strays => [.. _strays];

    /// <summary>
    /// The seeds for the next incarnation: every other known node, with the stray that was found first. If empty, it
    /// starts a cluster of its own, which is merged with the others' once they are found (<see cref="Gives"/>).
    /// </summary>
    public IReadOnlyList<Address> Seeds
    {
        get
        {
            if (_isRefused && IsFounder)
                return [];
            var known = _members.Select(m => m.Address).Concat(_strays.AsEnumerable().Reverse()).Concat(named);
            return [.. (_first is { } first ? known.Prepend(first) : known).Where(a => !a.Equals(_self)).Distinct()];
        }
    }

    /// <summary>The cluster as this node, a member, sees it.</summary>
    public void Update(Address self, IReadOnlyList<ClusterNode> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        // After the end of its own membership, a node's view says nothing about the cluster: the other members still
        // exist.
        if (!members.Any(m => m.Address.Equals(self)))
            return;
        (_self, _isRefused, _first) = (self, false, null);
        foreach (var gone in _members.Where(m => !members.Any(now => now.Address.Equals(m.Address))))
        {
            if (gone.State is not (MemberState.Leaving or MemberState.Exiting))
                _strays.Add(gone.Address);
        }

        _strays.RemoveAll(s => members.Any(m => m.Address.Equals(s)));
        if (_strays.Count > MaxStrays)
            _strays.RemoveRange(0, _strays.Count - MaxStrays);
        _members = members;
    }

    /// <summary>
    /// No node of <see cref="Seeds"/> admitted this node. A founder starts a cluster next; other nodes try again.
    /// </summary>
    public void Refused() => (_isRefused, _first) = (true, null);

    /// <summary>
    /// A stray answered with the cluster that it is in. True if this node must leave its own cluster and join that one;
    /// from then on <see cref="Seeds"/> starts with the stray.
    /// </summary>
    public bool Found(Address stray, IReadOnlyList<ClusterNode> theirs)
    {
        ArgumentNullException.ThrowIfNull(theirs);
        if (_self is null || !_strays.Contains(stray) || !Gives(_self, _members, theirs))
            return false;
        _first = stray;
        return true;
    }

    /// <summary>
    /// Of two clusters that were one, does this one give way? It gives way to the one with more destinations, then more
    /// members, then the lowest address, so that exactly one of them does.
    /// </summary>
    /// <param name="self">This node.</param>
    /// <param name="mine">Its cluster.</param>
    /// <param name="theirs">The other one.</param>
    public static bool Gives(Address self, IReadOnlyList<ClusterNode> mine, IReadOnlyList<ClusterNode> theirs)
    {
        ArgumentNullException.ThrowIfNull(mine);
        ArgumentNullException.ThrowIfNull(theirs);
        var (here, there) = (mine.Where(m => m.IsUsable).ToList(), theirs.Where(m => m.IsUsable).ToList());
        // If they can reach this node, it is not another cluster, only an older view of the same one.
        if (there.Count == 0 || there.Exists(m => m.Address.Equals(self)))
            return false;
        var order = (there.Count(IsDestination), there.Count).CompareTo((here.Count(IsDestination), here.Count));
        return order > 0 || (order == 0 && AddressOrder.Instance.Compare(Lowest(there), Lowest(here)) < 0);
    }

    private static bool IsDestination(ClusterNode node) => node.Roles.Contains(NodeRoles.Destination);

    private static Address Lowest(IEnumerable<ClusterNode> nodes) =>
        nodes.Select(n => n.Address).Min(AddressOrder.Instance)!;
}
