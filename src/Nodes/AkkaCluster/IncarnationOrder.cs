using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// Reorders member events so that an incarnation is announced only after the previous incarnation at the same address
/// was announced as removed. Akka.Cluster derives its events from the difference between two gossip states and
/// publishes added members before removed ones. When a node was restarted and one gossip state covers both steps, the
/// new incarnation would appear before the old one has gone.
/// </summary>
internal sealed class IncarnationOrder
{
    // Members by address: announced, and not yet announced as removed.
    private readonly Dictionary<Address, MemberChanged> _told = [];

    /// <summary>The events to announce, in order, when Akka.Cluster publishes this one.</summary>
    public IReadOnlyList<MemberChanged> Next(MemberChanged changed)
    {
        var former = _told.GetValueOrDefault(changed.Node.Address);
        if (changed.State == MemberState.Removed)
        {
            // The removal of an earlier incarnation has been announced already.
            if (former?.Node != changed.Node) return [];
            _told.Remove(changed.Node.Address);
            return [changed];
        }

        _told[changed.Node.Address] = changed;
        if (former is null || former.Node == changed.Node) return [changed];
        return [former with { State = MemberState.Removed }, changed];
    }
}
