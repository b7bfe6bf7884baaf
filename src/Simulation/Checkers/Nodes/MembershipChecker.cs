using Userfault.Nodes;

namespace Userfault.Simulation.Cluster;

/// <summary>
/// Membership converges once faults stop: every live node sees exactly the live nodes, all up, and no former
/// incarnation of any. And at no time does a node see two incarnations of one address as members that are up.
/// </summary>
internal sealed class MembershipChecker(SimCluster cluster) : Checker
{
    private const int StepsBetweenLooks = 64;
    private int _steps;

    public override string Name => "membership";

    public override bool IsSettled => cluster.HasConverged();

    public override void OnUnsettled() =>
        Violate(
            $"no agreement on the members long after the last fault; {string.Join("; ", cluster.Nodes.Select(Said))}"
        );

    public override void AfterStep()
    {
        if (++_steps % StepsBetweenLooks != 0)
            return;
        foreach (var node in cluster.Nodes)
        {
            if (node.Membership is not { IsOver: false } seen)
                continue;
            var up = seen.Members.Where(static m => m.State == MemberState.Up).ToList();
            if (up.Select(static m => m.Node.Address).Distinct().Count() != up.Count)
                Violate($"{node.Name} takes two incarnations of one node for members that are up");
        }
    }

    private static string Said(SimNode node)
    {
        if (node.Membership is not { IsOver: false } seen)
            return $"{node.Name} is {(node.IsUp ? "out" : "down")}";
        var members = seen.Members.Select(static m =>
            $"{m.Node.Address.Host} {m.State}{(m.IsReachable ? "" : " unreachable")}"
        );
        return $"{node.Name} sees {string.Join(", ", members)}";
    }
}
