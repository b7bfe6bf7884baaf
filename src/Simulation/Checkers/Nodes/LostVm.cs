namespace Userfault.Simulation.Cluster;

/// <summary>A VM whose node was killed before all of its pages had arrived, as other nodes must report it.</summary>
/// <param name="Node">Its node.</param>
/// <param name="Name">Its name.</param>
/// <param name="PagesPresent">Pages that it had in place.</param>
/// <param name="Pages">Its pages.</param>
/// <param name="Holders">The nodes whose replica had pages missing, with the incarnations of their processes.</param>
internal sealed record LostVm(
    SimNode Node,
    string Name,
    ulong PagesPresent,
    ulong Pages,
    IReadOnlyList<(SimNode Node, int Incarnation)> Holders
)
{
    /// <summary>A VM that is about to be lost.</summary>
    public static LostVm Of(SimCluster cluster, SimNode node, SimVm vm) =>
        new(
            node,
            vm.Settings.Name,
            vm.PagesInPlace,
            vm.Progress[^1].Pages,
            [
                .. from other in cluster.Nodes
                where
                    other.IsUp && other.Replicas.Held.Any(h => h.Shape.Vm == vm.Settings.Name && h.Replica.Missing > 0)
                select (other, other.Host.Incarnation),
            ]
        );
}
