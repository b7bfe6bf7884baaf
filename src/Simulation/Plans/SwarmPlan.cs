using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// Everything that determines a run of the swarm: a VM, its guest's workload, the supply of its pages, and the faults
/// with their times. Times in ns, sizes in pages.
/// </summary>
public sealed record SwarmPlan
{
    /// <summary>Orders the steps, and makes the random choices within the plan.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How far apart the seed may move steps (<see cref="SimOptions.Window"/>).</summary>
    public int OrderWindow { get; init; } = 64;

    /// <summary>Virtual time that a step takes (<see cref="SimOptions.StepNs"/>).</summary>
    public int StepNs { get; init; }

    /// <summary>The guest's architecture.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; }

    /// <summary>The backing of guest memory.</summary>
    public MemoryKind Memory { get; init; }

    /// <summary>Pages of the guest.</summary>
    public int Pages { get; init; } = 64;

    /// <summary>Maximum memslot size; 0 for one slot.</summary>
    public int SlotPages { get; init; }

    /// <summary>Share of zero pages in percent.</summary>
    public int ZeroPercent { get; init; }

    /// <summary>Number of vCPUs.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>Accesses per vCPU.</summary>
    public int Accesses { get; init; } = 64;

    /// <summary>The order of the accesses.</summary>
    public PatternKind Pattern { get; init; }

    /// <summary>Do all vCPUs access all pages?</summary>
    public bool Overlapping { get; init; }

    /// <summary>Share of writes in percent.</summary>
    public int WritePercent { get; init; }

    /// <summary>Time between two accesses; 0 for none.</summary>
    public int AccessNs { get; init; }

    /// <summary>Accesses per slice.</summary>
    public int SliceAccesses { get; init; } = 16;

    /// <summary>Background push.</summary>
    public BackgroundOrder Push { get; init; }

    /// <summary>Maximum pushed pages in flight.</summary>
    public int PushWindow { get; init; } = 64;

    /// <summary>Pages per push request.</summary>
    public int PushChunk { get; init; } = 16;

    /// <summary>Pages fetched around a fault.</summary>
    public int Locality { get; init; }

    /// <summary>Accesses of a device model.</summary>
    public int HostAccesses { get; init; }

    /// <summary>userfaultfd descriptors per slot.</summary>
    public int Descriptors { get; init; } = 1;

    /// <summary>Readers per descriptor.</summary>
    public int Readers { get; init; } = 1;

    /// <summary>Table entries per batch of a change.</summary>
    public int WorkBudget { get; init; } = 64;

    /// <summary>Number of fetchers.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>Number of sources per fetcher.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Time from a request to its answer.</summary>
    public int LatencyNs { get; init; } = 30_000;

    /// <summary>Maximum random addition to the latency.</summary>
    public int JitterNs { get; init; }

    /// <summary>Maximum pages per request.</summary>
    public int RequestPages { get; init; } = 16;

    /// <summary>Maximum pages in flight per fetcher.</summary>
    public int FetchWindow { get; init; } = 256;

    /// <summary>Interval of a fetcher's checks for slow requests.</summary>
    public int TickNs { get; init; } = 1_000_000;

    /// <summary>Time after which a request is retried elsewhere; 0 never.</summary>
    public int TimeoutNs { get; init; } = 5_000_000;

    /// <summary>Are slow requests hedged?</summary>
    public bool Hedge { get; init; }

    /// <summary>
    /// Source nodes of the cluster; 0 for a single process, with <see cref="Fetchers"/> and <see cref="Replicas"/>.
    /// </summary>
    public int SourceNodes { get; init; }

    /// <summary>Number of fetcher nodes.</summary>
    public int FetcherNodes { get; init; }

    /// <summary>Number of other destinations, each with a VM of its own from the same image.</summary>
    public int OtherDestinations { get; init; }

    /// <summary>Does the cluster down members that are unreachable for long?</summary>
    public bool ResolvesSplits { get; init; }

    /// <summary>Maximum delay of a cleared bit for merging with others.</summary>
    public int ClearsNs { get; init; } = 20_000_000;

    /// <summary>Time from the forming of the cluster to the start of the migration.</summary>
    public int HeadStartNs { get; init; }

    /// <summary>Does the run use the nodes of a cluster instead of a single process?</summary>
    public bool IsClustered => SourceNodes > 0;

    /// <summary>The faults.</summary>
    public IReadOnlyList<PlannedFault> Faults { get; init; } = [];

    /// <summary>The end of the last fault: the liveness phase starts.</summary>
    public long FaultsEndNs => Faults.Count == 0 ? 0 : Faults.Max(f => f.EndNs);

    /// <summary>Number of page sources of all fetchers.</summary>
    public int Sources => Fetchers * Replicas;
}
