using Userfault.Actors;
using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// Replicas of the bitmap on other nodes: a bit is never clear there while it is set at the memslot, whose own clear
/// bits mean content in place; and once faults stop, every source and fetcher has the memslot's bitmap, bit for bit.
/// </summary>
internal sealed class ReplicaChecker(SimCluster cluster) : Checker
{
    private bool _hasNews;

    public override string Name => "replica";

    public override bool IsSettled => Stale() is null;

    public override void OnUnsettled() => Violate($"{Stale()} long after the last fault");

    public override void OnForeignMessage(in SimStep step) =>
        _hasNews |=
            step.Message is BitsCleared or BitmapRange && step.Path.EndsWith("/replicas", StringComparison.Ordinal);

    public override void AfterStep()
    {
        if (!_hasNews)
            return;
        _hasNews = false;
        foreach (var (node, slot, held) in All())
        {
            if (held is not null && FirstDifference(slot, held, mayLag: true) is { } page)
                Violate($"{node.Name} holds page {page} of {slot.Core.Slot.Id} for in place, and its bit is set");
        }
    }

    private string? Stale()
    {
        foreach (var (node, slot, held) in All())
        {
            if (held is null)
                return $"{node.Name} has no replica of {slot.Core.Slot.Id}";
            if (FirstDifference(slot, held, mayLag: false) is { } page)
            {
                return $"{node.Name} holds page {page} of {slot.Core.Slot.Id} for "
                    + $"{(held.Replica.IsMissing(page) ? "missing" : "in place")}, and the memslot does not";
            }
        }

        return null;
    }

    private IEnumerable<(SimNode Node, MemslotPager Slot, HeldReplica? Held)> All() =>
        from node in cluster.Nodes
        where node.IsUp && node.Role != NodeRoles.Destination
        from slot in View.Slots
        select (
            node,
            slot,
            node.Replicas.Held.FirstOrDefault(h => h.Shape.Vm == "vm" && h.Shape.Slot == slot.Core.Slot.Id)
        );

    private static ulong? FirstDifference(MemslotPager slot, HeldReplica held, bool mayLag)
    {
        for (ulong i = 0; i < slot.Bitmap.Pages; i++)
        {
            var (here, there) = (slot.Bitmap.IsSet(i), held.Replica.IsMissing(i));
            if (here != there && !(mayLag && there))
                return i;
        }

        return null;
    }
}
