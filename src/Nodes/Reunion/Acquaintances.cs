using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// Whom a node has been in a cluster with, over all its incarnations, so that a cluster that fell apart finds together
/// again. Who left in order is forgotten; who went otherwise may only have been out of reach. Plain; one thread at a time.
/// </summary>
/// <param name="named">Nodes that it was told to join at; one that was told of none may begin a cluster of its own.</param>
public sealed class Acquaintances(IReadOnlyList<Address> named)
{
    /// <summary>Strays that are remembered at most: destinations come and go, each under an address of its own.</summary>
    public const int MaxStrays = 64;

    private readonly List<Address> _strays = [];
    private IReadOnlyList<ClusterNode> _members = [];
    private Address? _self;
    private bool _isRefused;
    private Address? _first;

    /// <summary>May this node begin a cluster where nobody whom it knows lets it in? Of a cluster that falls apart one does.</summary>
    public bool IsFounder => named.Count == 0;

    /// <summary>Is one of <see cref="Seeds"/> known to be in a cluster now? Then it is worth some time to be let in.</summary>
    public bool HasFound => _first is not null;

    /// <summary>Nodes that were members and went without having left, the latest last.</summary>
    public IReadOnlyList<Address> Strays => [.. _strays];

    /// <summary>
    /// Where the next incarnation is to join: at every other node that is known, who was found in front. None: it begins a
    /// cluster of its own, which is joined to the others' when they are heard of (<see cref="Gives"/>).
    /// </summary>
    public IReadOnlyList<Address> Seeds
    {
        get
        {
            if (_isRefused && IsFounder) return [];
            var known = _members.Select(m => m.Address).Concat(_strays.AsEnumerable().Reverse()).Concat(named);
            return [.. (_first is { } first ? known.Prepend(first) : known).Where(a => !a.Equals(_self)).Distinct()];
        }
    }

    /// <summary>The cluster as this node, a member, sees it.</summary>
    public void Update(Address self, IReadOnlyList<ClusterNode> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        // What a node says once its own membership is over is no view of a cluster: the others are where they were.
        if (!members.Any(m => m.Address.Equals(self))) return;
        (_self, _isRefused, _first) = (self, false, null);
        foreach (var gone in _members.Where(m => !members.Any(now => now.Address.Equals(m.Address))))
        {
            if (gone.State is not (MemberState.Leaving or MemberState.Exiting)) _strays.Add(gone.Address);
        }

        _strays.RemoveAll(s => members.Any(m => m.Address.Equals(s)));
        if (_strays.Count > MaxStrays) _strays.RemoveRange(0, _strays.Count - MaxStrays);
        _members = members;
    }

    /// <summary>Nobody at <see cref="Seeds"/> let this node in. A founder begins a cluster next; others ask again.</summary>
    public void Refused() => (_isRefused, _first) = (true, null);

    /// <summary>
    /// A stray answered with the cluster that it is in. True where this node is to leave its own and join there; from then on
    /// <see cref="Seeds"/> names the stray first.
    /// </summary>
    public bool Found(Address stray, IReadOnlyList<ClusterNode> theirs)
    {
        ArgumentNullException.ThrowIfNull(theirs);
        if (_self is null || !_strays.Contains(stray) || !Gives(_self, _members, theirs)) return false;
        _first = stray;
        return true;
    }

    /// <summary>
    /// Of two clusters that were one, does this one give way? To the one with more destinations, then more members, then the lowest
    /// address, so that only one of them does.
    /// </summary>
    /// <param name="self">This node.</param>
    /// <param name="mine">Its cluster.</param>
    /// <param name="theirs">The other one.</param>
    public static bool Gives(Address self, IReadOnlyList<ClusterNode> mine, IReadOnlyList<ClusterNode> theirs)
    {
        ArgumentNullException.ThrowIfNull(mine);
        ArgumentNullException.ThrowIfNull(theirs);
        var (here, there) = (mine.Where(m => m.IsUsable).ToList(), theirs.Where(m => m.IsUsable).ToList());
        // Where they reach this node it is no other cluster, only an older view of one.
        if (there.Count == 0 || there.Exists(m => m.Address.Equals(self))) return false;
        var order = (there.Count(IsDestination), there.Count).CompareTo((here.Count(IsDestination), here.Count));
        return order > 0 || (order == 0 && AddressOrder.Instance.Compare(Lowest(there), Lowest(here)) < 0);
    }

    private static bool IsDestination(ClusterNode node) => node.Roles.Contains(NodeRoles.Destination);

    private static Address Lowest(IEnumerable<ClusterNode> nodes) => nodes.Select(n => n.Address).Min(AddressOrder.Instance)!;
}
