using Akka.Actor;
using static Akka.Cluster.Membership.ClusterMessages;

namespace Akka.Cluster.Membership;

/// <summary>
/// Finds a cluster among the seed nodes, whatever the order in which they start. Each asks the others whether they are
/// part of one. Only the first of the list may begin a new cluster, when none of the others answers that it is; the
/// others ask until somebody is, so that two halves never begin apart.
/// </summary>
internal sealed class SeedJoin
{
    private readonly Address _self;
    private readonly List<Address> _others;
    private readonly bool _isFirst;
    private readonly TimeSpan _deadline;

    public SeedJoin(Address self, IReadOnlyList<Address> seeds, TimeSpan timeout, TimeSpan now)
    {
        _self = self;
        _others = seeds.Where(seed => seed != self).Distinct().ToList();
        _isFirst = seeds.Count > 0 && seeds[0] == self;
        _deadline = now + timeout;
    }

    /// <summary>Where to join, once that is known.</summary>
    public Address? Target { get; private set; }

    /// <summary>The questions of this round, none once a target is found.</summary>
    public IReadOnlyList<(Address To, ClusterMessage Message)> Tick(TimeSpan now)
    {
        if (Target is null && _isFirst && (_others.Count == 0 || now >= _deadline))
            Target = _self;
        return Target is null ? [.. _others.Select(static seed => (seed, (ClusterMessage)new InitJoin()))] : [];
    }

    public void OnAck(Address from)
    {
        if (_others.Contains(from))
            Target ??= from;
    }

    public void OnNack(Address from)
    {
        // For the first seed one answer each is enough: whoever is not part of a cluster now waits for this one.
        if (_isFirst && _others.Remove(from) && _others.Count == 0)
            Target ??= _self;
    }
}
