using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// The order in which a follower is told of incarnations: one only once the former one under its address was told removed.
/// Akka.Cluster compares one gossip with the next, and says who is new in it before it says who is gone. Where a node was
/// started anew, and a gossip takes both steps at once, that is the next incarnation before the end of the former one.
/// </summary>
internal sealed class IncarnationOrder
{
    // By address, those that were told and not yet told removed.
    private readonly Dictionary<Address, MemberChanged> _told = [];

    /// <summary>What there is to tell where Akka.Cluster says this.</summary>
    public IReadOnlyList<MemberChanged> Next(MemberChanged changed)
    {
        var former = _told.GetValueOrDefault(changed.Node.Address);
        if (changed.State == MemberState.Removed)
        {
            // Of the others the end was told already.
            if (former?.Node != changed.Node) return [];
            _told.Remove(changed.Node.Address);
            return [changed];
        }

        _told[changed.Node.Address] = changed;
        return former is null || former.Node == changed.Node ? [changed] : [former with { State = MemberState.Removed }, changed];
    }
}
