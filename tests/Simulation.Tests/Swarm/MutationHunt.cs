using Userfault.Mmu;

namespace Userfault.Simulation.Tests.Swarm;

/// <summary>Looks for a deliberate bug, seed by seed.</summary>
internal static class MutationHunt
{
    /// <summary>One of the first seeds finds it by the checker that is named, and passes without it.</summary>
    /// <param name="mutation">The bug.</param>
    /// <param name="checker">Which checker is to find it first.</param>
    /// <param name="mostSeeds">How many seeds it may take.</param>
    /// <param name="planOf">A seed's plan without the bug.</param>
    public static void Finds(Mutation mutation, string checker, ulong mostSeeds, Func<ulong, SwarmPlan> planOf)
    {
        for (ulong seed = 1; seed <= mostSeeds; seed++)
        {
            var plan = planOf(seed);
            var outcome = SwarmRun.Of(plan with { Mutation = mutation });
            if (outcome.Passed) continue;
            Assert.Equal(checker, outcome.Violation!.Checker);
            Assert.Null(SwarmRun.Of(plan).Violation);
            return;
        }

        Assert.Fail($"{mutation} was not found by {mostSeeds} seeds");
    }
}
