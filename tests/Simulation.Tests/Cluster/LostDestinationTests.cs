namespace Userfault.Simulation.Tests.Cluster;

/// <summary>A destination that dies while it has everything but some pages, in swarms.</summary>
public sealed class LostDestinationTests
{
    private const string Dies = """
        source-nodes = 2
        fetcher-nodes = 1
        other-destinations = 1
        resolves-splits = on
        pages = 600
        latency-ns = 100000
        clears-ns = 200000
        head-start-ns = 1500000000
        faults = [ "at 0ns destination-dies 15 for 3000000000ns" ]
        """;

    [Fact]
    public void It_is_missed_by_those_who_knew_what_it_lacked_and_costs_no_other_vm_anything()
    {
        var losses = 0;
        for (ulong seed = 1; seed <= 12; seed++)
        {
            var outcome = SwarmRun.Of(PlanText.Overlay(PlanGenerator.Of(seed, new HashSet<FaultType>(), isClustered: true), Dies));
            Assert.Null(outcome.Violation);
            if (outcome.Log.Any(static line => line.Contains("destination other-0:", StringComparison.Ordinal))) losses++;
        }

        Assert.InRange(losses, 6, 12);
    }

    [Fact]
    public void Plans_in_which_two_destinations_may_be_on_two_sides_of_a_cluster_are_refused() => Assert.Throws<FormatException>(
        static () => PlanText.Overlay(new SwarmPlan(), Dies.Replace("destination-dies", "node-cut", StringComparison.Ordinal)));
}
