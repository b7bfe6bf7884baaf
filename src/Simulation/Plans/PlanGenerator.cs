using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Generates a random plan per seed. Swarm testing: a plan has only some of the features and some of the faults, since
/// a feature that is always present hides bugs that need its absence.
/// </summary>
public static class PlanGenerator
{
    private static readonly FaultType[] VmFaults =
    [
        FaultType.PlacingFails,
        FaultType.MemslotFails,
        FaultType.VcpuFails,
        FaultType.ReaderFails,
        FaultType.Pause,
    ];

    private static readonly FaultType[] Calls =
    [
        FaultType.ToggleUserfault,
        FaultType.DirtyLog,
        FaultType.ExtraSlot,
        FaultType.MoveSlot,
        FaultType.PreFault,
        FaultType.DeleteOwnSlot,
        FaultType.MoveOwnSlot,
    ];

    private static readonly long[] ShortTimes = [20_000, 300_000, 2_000_000];

    private static readonly long[] LongTimes = [300_000, 20_000_000, 1_500_000_000, 9_000_000_000];

    // Faults between nodes, and at the disks of sources.
    private static readonly FaultType[] NodeFaults =
    [
        FaultType.NodeDies,
        FaultType.NodeDies,
        FaultType.NodeLosesPower,
        FaultType.NodeCut,
        FaultType.NodeDeaf,
        FaultType.DestinationCut,
        FaultType.NodeSlow,
        FaultType.NetworkBad,
        FaultType.ConnectionsBreak,
        FaultType.ClearsLost,
        FaultType.ClearsLost,
        FaultType.ClearsTwice,
        FaultType.ClearsLate,
        FaultType.FetcherCrash,
        FaultType.SourceLate,
        FaultType.SourceShort,
        FaultType.SourceWrongPage,
        FaultType.SourceTwice,
    ];

    /// <summary>Faults after which two destinations may be on different sides of a split cluster.</summary>
    internal static readonly FaultType[] Splits =
    [
        FaultType.NodeDies,
        FaultType.NodeLosesPower,
        FaultType.NodeCut,
        FaultType.NodeDeaf,
        FaultType.DestinationCut,
    ];

    /// <summary>
    /// Share of the seeds that run a cluster, in percent; the others run a single process, which costs far less.
    /// </summary>
    public const int ClusteredPercent = 12;

    /// <summary>The plan of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="allowed">Faults that it may contain.</param>
    public static SwarmPlan Of(ulong seed, IReadOnlySet<FaultType> allowed) =>
        Of(seed, allowed, new SimRandom(seed, "cluster").Below(100) < ClusteredPercent);

    /// <summary>The plan of a seed with or without a cluster, whatever the seed itself would choose.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="allowed">Faults that it may contain.</param>
    /// <param name="isClustered">A cluster, or one process?</param>
    public static SwarmPlan Of(ulong seed, IReadOnlySet<FaultType> allowed, bool isClustered)
    {
        ArgumentNullException.ThrowIfNull(allowed);
        var random = new SimRandom(seed, "plan");
        var plan = Guest(seed, random);
        plan = Fetching(plan, random);
        if (isClustered)
            plan = Nodes(plan, random);
        return plan with { Faults = Faults(plan, random, allowed) };
    }

    private static SwarmPlan Guest(ulong seed, SimRandom random)
    {
        var memory = random.OneOf([
            MemoryKind.Anonymous,
            MemoryKind.Anonymous,
            MemoryKind.Shmem,
            MemoryKind.Shmem,
            MemoryKind.GuestMemfd,
        ]);
        var isPrivate = memory == MemoryKind.GuestMemfd;
        var mode = isPrivate
            ? FaultMode.Userfault
            : random.OneOf([FaultMode.Userfault, FaultMode.Userfaultfd, FaultMode.Both, FaultMode.Both]);
        // From a few pages, on which all vCPUs collide, to more than the pages of two 2 MiB leaves.
        var pages = random.OneOf([7, 40, 64, 130, 512, 600, 1024, 1100]);
        return new SwarmPlan
        {
            Seed = seed,
            OrderWindow = random.OneOf([1, 8, 64, 512]),
            StepNs = random.OneOf([0, 20, 100, 500]),
            Architecture = isPrivate ? Architecture.X86 : random.OneOf([Architecture.X86, Architecture.Arm64]),
            Mode = mode,
            Memory = memory,
            Pages = pages,
            SlotPages = random.OneOf([0, 0, 512, Math.Max(1, pages / 3)]),
            ZeroPercent = random.OneOf([0, 0, 30]),
            Vcpus = (int)random.Between(1, 6),
            Accesses = random.OneOf([20, 60, 150, 300]),
            Pattern = random.OneOf([
                PatternKind.Sequential,
                PatternKind.Random,
                PatternKind.Random,
                PatternKind.Zipf,
                PatternKind.Stride,
            ]),
            Overlapping = pages < 8 || random.Chance(0.6),
            WritePercent = random.OneOf([0, 10, 30, 60]),
            AccessNs = random.OneOf([0, 200, 1000, 5000]),
            SliceAccesses = random.OneOf([1, 4, 16, 64]),
            Push = random.OneOf([
                BackgroundOrder.None,
                BackgroundOrder.Sequential,
                BackgroundOrder.Sequential,
                BackgroundOrder.Outward,
            ]),
            PushWindow = random.OneOf([16, 64, 256]),
            PushChunk = random.OneOf([1, 8, 32, 64]),
            Locality = random.OneOf([0, 0, 0, 8, 32]),
            HostAccesses = mode == FaultMode.Userfault ? 0 : random.OneOf([0, 0, 10, 40]),
            Descriptors = random.OneOf([1, 1, 2, 3]),
            Readers = random.OneOf([1, 1, 2]),
            WorkBudget = random.OneOf([1, 16, 64, 512]),
        };
    }

    private static SwarmPlan Fetching(SwarmPlan plan, SimRandom random) =>
        plan with
        {
            Fetchers = random.OneOf([1, 1, 2, 3]),
            Replicas = random.OneOf([1, 2, 2, 3]),
            LatencyNs = random.OneOf([0, 5_000, 30_000, 100_000]),
            JitterNs = random.OneOf([0, 5_000, 50_000, 400_000]),
            RequestPages = random.OneOf([1, 4, 16, 64]),
            FetchWindow = random.OneOf([16, 64, 1024]),
            TickNs = random.OneOf([50_000, 300_000, 2_000_000]),
            TimeoutNs = random.OneOf([0, 500_000, 3_000_000]),
            Hedge = random.Chance(0.5),
        };

    private static SwarmPlan Nodes(SwarmPlan plan, SimRandom random)
    {
        var others = random.Chance(0.15) ? 1 : 0;
        return plan with
        {
            SourceNodes = random.OneOf([1, 1, 2, 3]),
            FetcherNodes = random.OneOf([0, 1, 2, 2, 3]),
            OtherDestinations = others,
            ResolvesSplits = random.Chance(0.5),
            ClearsNs = random.OneOf([0, 200_000, 5_000_000, 20_000_000]),
            HeadStartNs = random.OneOf([0, 300_000_000, 1_500_000_000]),
            // A cluster takes seconds to detect the loss of a node: ticks and timeouts are in proportion.
            TickNs = random.OneOf([2_000_000, 10_000_000, 100_000_000]),
            TimeoutNs = random.OneOf([0, 20_000_000, 500_000_000]),
        };
    }

    private static IReadOnlyList<PlannedFault> Faults(SwarmPlan plan, SimRandom random, IReadOnlySet<FaultType> allowed)
    {
        // A few kinds per plan; one plan in eight has no faults.
        var kinds = Kinds(plan, random).Where(allowed.Contains).ToArray();
        var count = kinds.Length == 0 || random.Chance(0.12) ? 0 : random.Between(1, 8);
        // About as long as the guest runs, so that most faults have an effect.
        var horizonNs = Math.Max(
            100_000,
            (long)plan.Accesses * plan.AccessNs + (2L * plan.LatencyNs + plan.JitterNs) * 20
        );
        var faults = new List<PlannedFault>();
        for (var i = 0L; i < count; i++)
        {
            faults.Add(
                new PlannedFault(
                    random.Between(0, horizonNs),
                    random.OneOf(kinds),
                    (int)random.Below(16),
                    random.Between(1_000, random.OneOf(plan.IsClustered ? LongTimes : ShortTimes))
                )
            );
        }

        return [.. faults.OrderBy(f => f.AtNs)];
    }

    private static List<FaultType> Kinds(SwarmPlan plan, SimRandom random)
    {
        var all = plan.IsClustered
            ? NodeFaults
            :
            [
                .. Enum.GetValues<FaultType>()
                    .Where(t => t < FaultType.NodeDies && !VmFaults.Contains(t) && !Calls.Contains(t)),
            ];
        var kinds = new List<FaultType>();
        for (var i = random.Between(0, 3); i > 0; i--)
            kinds.Add(random.OneOf(all));
        if (random.Chance(0.35))
            kinds.Add(random.OneOf(VmFaults));
        if (random.Chance(0.5))
            kinds.Add(random.OneOf(Calls));
        if (random.Chance(0.3))
            kinds.Add(FaultType.ToggleUserfault);
        if (random.Chance(0.2))
            kinds.Add(FaultType.DirtyLog);
        if (plan.Mode == FaultMode.Userfault)
            kinds.Remove(FaultType.ReaderFails);
        if (plan is { OtherDestinations: > 0, ResolvesSplits: true })
        {
            // Only if nothing else splits the cluster is it certain on which side the run's own destination is.
            kinds.RemoveAll(Splits.Contains);
            if (random.Chance(0.7))
                kinds.Add(FaultType.DestinationDies);
        }

        return kinds;
    }
}
