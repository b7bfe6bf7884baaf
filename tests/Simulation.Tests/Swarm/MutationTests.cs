using Userfault.Mmu;

namespace Userfault.Simulation.Tests.Swarm;

/// <summary>Every deliberate bug is found within a few seeds, and the program without it passes the seed that found it.</summary>
public sealed class MutationTests
{
    private const ulong MostSeeds = 300;
    private static readonly HashSet<FaultType> AllFaults = [.. Enum.GetValues<FaultType>()];

    private const string Logging = """
        memory = anonymous
        mode = both
        vcpus = 6
        pages = 16
        slot-pages = 0
        overlapping = on
        accesses = 300
        write-percent = 60
        access-ns = 1000
        slice-accesses = 4
        order-window = 512
        step-ns = 100
        faults = [ "at 60000ns dirty-log 0 for 200000ns" ]
        """;

    private const string Deleting = """
        memory = anonymous
        mode = both
        vcpus = 2
        pages = 200
        slot-pages = 0
        overlapping = on
        accesses = 100
        push = none
        locality = 0
        host-accesses = 40
        latency-ns = 30000
        faults = [ "at 60000ns delete-own-slot 0 for 1000ns" ]
        """;

    // Which checker finds it first; another may be right as well, but then something has changed that is worth a look.
    public static TheoryData<Mutation, string> Mutants => new()
    {
        { Mutation.ClearBeforeContent, "cleared" },
        { Mutation.PlainClear, "cleared" },
        { Mutation.ClearsWrongBit, "cleared" },
        { Mutation.LateOverwrite, "late-content" },
        { Mutation.LostWake, "progress" },
        { Mutation.LostEvent, "progress" },
        { Mutation.ForgottenWaiter, "progress" },
        { Mutation.SkippedAccess, "progress" },
        { Mutation.ZapSkipsTable, "zap" },
        { Mutation.NoZap, "zap" },
        { Mutation.HugeWhileUserfault, "page-size" },
        { Mutation.ShootdownSkipsVcpu, "translation" },
        { Mutation.AnswersBeforeFlush, "translation" },
        { Mutation.ForgottenHeldBack, "progress" },
        { Mutation.FailoverDropsRequest, "progress" },
        { Mutation.ShortAnswerAccepted, "progress" },
        { Mutation.RecoveryRefetchesAll, "fetch-once" },
        { Mutation.RecoveryForgetsPushes, "progress" },
        { Mutation.WindowIgnored, "bounds" },
        { Mutation.DeletedSlotKeepsSleepers, "progress" },
        { Mutation.NewSlotNotPushed, "progress" },
    };

    [Theory]
    [MemberData(nameof(Mutants))]
    public void A_deliberate_bug_is_found(Mutation mutation, string checker)
    {
        MutationHunt.Finds(mutation, checker, MostSeeds, seed =>
        {
            var plan = PlanGenerator.Of(seed, AllFaults, isClustered: false);
            // The moment between the answer and the flush is short: here many vCPUs write the while.
            if (mutation == Mutation.AnswersBeforeFlush) plan = PlanText.Overlay(plan, Logging);
            // Who sleeps while a slot goes is a device, and vCPUs are stopped: here one sleeps most of the time.
            return mutation == Mutation.DeletedSlotKeepsSleepers ? PlanText.Overlay(plan, Deleting) : plan;
        });
    }

    [Fact]
    public void No_mutation_is_forgotten() =>
        Assert.Equal(Enum.GetValues<Mutation>().Where(m => m is > Mutation.None and < Mutation.LostClearsUnrepaired), Mutants.Select(m => (Mutation)m[0]).Order());

    [Fact]
    public void A_mutation_ends_with_its_run()
    {
        SwarmRun.Of(PlanGenerator.Of(1, AllFaults) with { Mutation = Mutation.WindowIgnored });
        Assert.Equal(Mutation.None, Mutations.Current);
    }
}
