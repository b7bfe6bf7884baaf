namespace Userfault.Simulation.Cluster;

/// <summary>
/// The consequences of a destination that died with pages missing: every node that held a replica of its bitmap reports
/// it, with no more pages in place than there were, and no node holds the replica any more.
/// </summary>
internal sealed class LostDestinationChecker(SimCluster cluster, IReadOnlyList<LostVm> lost) : Checker
{
    public override string Name => "lost-destination";

    public override bool IsSettled => Wrong() is null;

    public override void OnUnsettled() => Violate($"{Wrong()} long after the last fault");

    private string? Wrong()
    {
        foreach (var vm in lost)
        {
            foreach (var node in cluster.Nodes)
            {
                if (node.IsUp && node.Replicas.Held.Any(h => h.Shape.Vm == vm.Name))
                    return $"{node.Name} holds a replica of {vm.Name}, which is gone";
            }

            foreach (var (node, incarnation) in vm.Holders)
            {
                if (!node.IsUp || node.Host.Incarnation != incarnation)
                    continue;
                if (node.Replicas.Lost is not { } said || said.Owner.Host != vm.Node.Name)
                    return $"{node.Name} does not say that {vm.Name} was lost";
                if (said.PagesPresent > vm.PagesPresent || said.Pages > vm.Pages)
                {
                    return $"{node.Name} says that {vm.Name} had {said.PagesPresent} of {said.Pages} pages; it had "
                        + $"{vm.PagesPresent} of {vm.Pages}";
                }
            }
        }

        return null;
    }
}
