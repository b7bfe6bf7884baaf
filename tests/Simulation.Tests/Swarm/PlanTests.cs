namespace Userfault.Simulation.Tests.Swarm;

/// <summary>Plans as text, and the search for shorter ones.</summary>
public sealed class PlanTests
{
    private static readonly HashSet<FaultType> AllFaults = [.. Enum.GetValues<FaultType>()];

    [Fact]
    public void A_plan_is_its_text()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            var plan = PlanGenerator.Of(seed, AllFaults);
            var read = PlanText.Overlay(new SwarmPlan(), PlanText.Write(plan));
            Assert.Equal(PlanText.Write(plan), PlanText.Write(read));
            Assert.Equal(plan.Faults, read.Faults);
            Assert.Equal(plan with { Faults = read.Faults }, read);
        }
    }

    [Fact]
    public void A_scenario_holds_for_every_seed()
    {
        var plan = PlanText.Overlay(PlanGenerator.Of(7, AllFaults), "vcpus = 3\noverlapping = on\nfaults = [\"at 5ns pause 0 for 7ns\"]\n");
        Assert.Equal((7UL, 3, true), (plan.Seed, plan.Vcpus, plan.Overlapping));
        Assert.Equal([new PlannedFault(5, FaultType.Pause, 0, 7)], plan.Faults);
    }

    [Theory]
    [InlineData("pagers = 3", "pagers")]
    [InlineData("pages = 0", "pages")]
    [InlineData("pages = -1", "pages")]
    [InlineData("pages = 99999999999", "pages")]
    [InlineData("mode = none", "mode")]
    [InlineData("hedge = maybe", "hedge")]
    [InlineData("push = recorded", "push")]
    [InlineData("seed = x", "seed")]
    [InlineData("faults = [\"at 5 pause 0 for 7ns\"]", "faults")]
    [InlineData("faults = [\"at 5ns sleep 0 for 7ns\"]", "faults")]
    [InlineData("faults = [\"pause\"]", "faults")]
    [InlineData("memory = guest-memfd\nmode = both", "memory")]
    [InlineData("mode = userfault\nhost-accesses = 3", "host-accesses")]
    [InlineData("vcpus = 9\npages = 4\noverlapping = off", "vcpus")]
    public void What_is_no_plan_is_refused_by_name(string text, string key) =>
        Assert.StartsWith(key, Assert.Throws<FormatException>(() => PlanText.Overlay(new SwarmPlan(), text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_failing_plan_shrinks_and_its_text_fails_alike()
    {
        // Its source takes longer than the whole run may.
        var failed = Enumerable.Range(1, 100)
            .Select(s => PlanGenerator.Of((ulong)s, AllFaults, isClustered: false) with { LatencyNs = 1_000_000_000 })
            .Where(static p => p.Faults.Count > 2 && p.Pages > 20)
            .Select(SwarmRun.Of)
            .First(static o => !o.Passed);
        var shortest = PlanShrinker.Shrink(failed, mostRuns: 40);
        Assert.True(shortest.Plan.Faults.Count < failed.Plan.Faults.Count);
        Assert.True(shortest.Plan.Pages < failed.Plan.Pages);
        var again = SwarmRun.Of(PlanText.Overlay(new SwarmPlan(), PlanText.Write(shortest.Plan)));
        Assert.Equal((shortest.Violation, shortest.Hash), (again.Violation, again.Hash));
    }

    [Fact]
    public void A_run_that_passed_does_not_shrink() =>
        Assert.Throws<ArgumentException>(() => PlanShrinker.Shrink(SwarmRun.Of(new SwarmPlan()), 10));
}
