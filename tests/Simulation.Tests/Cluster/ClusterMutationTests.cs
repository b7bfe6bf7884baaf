using Userfault.Mmu;
using Userfault.Simulation.Tests.Swarm;

namespace Userfault.Simulation.Tests.Cluster;

/// <summary>Every deliberate bug between nodes is found within a few seeds, and the program without it passes that seed.</summary>
public sealed class ClusterMutationTests
{
    private const ulong MostSeeds = 100;

    // Where chance needs long: all connections break while the guest runs, a node dies, or the source falls silent for a while.
    private const string Breaks = "faults = [ \"at 100000ns connections-break 0 for 1000ns\" ]\n";

    private const string NodeDies = """
        source-nodes = 1
        fetcher-nodes = 2
        other-destinations = 0
        head-start-ns = 1500000000
        latency-ns = 100000
        pages = 1100
        overlapping = on
        vcpus = 6
        accesses = 300
        pattern = random
        push = none
        faults = [ "at 400000ns node-dies 1 for 3000000000ns" ]
        """;

    private const string FallsSilent = """
        mode = userfaultfd
        memory = shmem
        pages = 14
        vcpus = 1
        accesses = 8
        push = none
        host-accesses = 10
        latency-ns = 100000
        jitter-ns = 400000
        source-nodes = 1
        fetcher-nodes = 3
        other-destinations = 0
        head-start-ns = 1500000000
        request-pages = 1
        timeout-ns = 20000000
        tick-ns = 10000000
        faults = [ "at 7438921ns node-deaf 0 for 366513488ns" ]
        """;

    private static readonly HashSet<FaultType> AllFaults = [.. Enum.GetValues<FaultType>()];

    public static TheoryData<Mutation, string> Mutants => new()
    {
        { Mutation.LostClearsUnrepaired, "replica" },
        { Mutation.WrongClearMask, "replica" },
        { Mutation.StaleReplica, "replica" },
        { Mutation.FormerSlotAsked, "replica" },
        { Mutation.NodeLossForgotten, "progress" },
        { Mutation.LinkNotRetried, "progress" },
        { Mutation.LateNodeForgotten, "progress" },
    };

    [Theory]
    [MemberData(nameof(Mutants))]
    public void A_deliberate_bug_between_nodes_is_found(Mutation mutation, string checker)
    {
        MutationHunt.Finds(mutation, checker, MostSeeds, seed => PlanText.Overlay(
            PlanGenerator.Of(seed, AllFaults, isClustered: true),
            mutation switch
            {
                Mutation.NodeLossForgotten => NodeDies,
                Mutation.LinkNotRetried => Breaks,
                Mutation.LateNodeForgotten => FallsSilent,
                _ => "",
            }));
    }

    [Fact]
    public void No_mutation_is_forgotten() => Assert.Equal(
        Enum.GetValues<Mutation>().Where(m => m >= Mutation.LostClearsUnrepaired), Mutants.Select(m => (Mutation)m[0]).Order());
}
