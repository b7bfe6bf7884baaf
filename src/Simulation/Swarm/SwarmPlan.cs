using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Simulation;

/// <summary>
/// Everything that a run of the swarm is made of: a VM, what its guest does, who fetches its pages from where, and what goes
/// wrong when. A plan and nothing else decides a run. Times in ns, sizes in pages.
/// </summary>
public sealed record SwarmPlan
{
    /// <summary>Orders the steps and chooses what is left to chance within the plan.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>How far apart the seed may move steps (<see cref="SimOptions.Window"/>).</summary>
    public int OrderWindow { get; init; } = 64;

    /// <summary>Virtual time that a step takes (<see cref="SimOptions.StepNs"/>).</summary>
    public int StepNs { get; init; }

    /// <summary>The guest's architecture.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; }

    /// <summary>What backs guest memory.</summary>
    public MemoryKind Memory { get; init; }

    /// <summary>Pages of the guest.</summary>
    public int Pages { get; init; } = 64;

    /// <summary>Largest memslot; 0 is one slot.</summary>
    public int SlotPages { get; init; }

    /// <summary>Share of zero pages in percent.</summary>
    public int ZeroPercent { get; init; }

    /// <summary>vCPUs.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>Accesses of each.</summary>
    public int Accesses { get; init; } = 64;

    /// <summary>In which order they touch pages.</summary>
    public PatternKind Pattern { get; init; }

    /// <summary>Do all touch all pages?</summary>
    public bool Overlapping { get; init; }

    /// <summary>Share of writes in percent.</summary>
    public int WritePercent { get; init; }

    /// <summary>Time from one access to the next; 0 is none.</summary>
    public int AccessNs { get; init; }

    /// <summary>Accesses of one slice.</summary>
    public int SliceAccesses { get; init; } = 16;

    /// <summary>Background push.</summary>
    public BackgroundOrder Push { get; init; }

    /// <summary>Most pages that are pushed and not here.</summary>
    public int PushWindow { get; init; } = 64;

    /// <summary>Pages of one push.</summary>
    public int PushChunk { get; init; } = 16;

    /// <summary>Pages fetched around a fault.</summary>
    public int Locality { get; init; }

    /// <summary>Accesses of a device model.</summary>
    public int HostAccesses { get; init; }

    /// <summary>userfaultfd descriptors of a slot.</summary>
    public int Descriptors { get; init; } = 1;

    /// <summary>Readers of a descriptor.</summary>
    public int Readers { get; init; } = 1;

    /// <summary>Table entries of one batch of a change.</summary>
    public int WorkBudget { get; init; } = 64;

    /// <summary>Fetchers.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>Sources of each fetcher.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>From a request to its answer.</summary>
    public int LatencyNs { get; init; } = 30_000;

    /// <summary>Added to it at most.</summary>
    public int JitterNs { get; init; }

    /// <summary>Most pages of a request.</summary>
    public int RequestPages { get; init; } = 16;

    /// <summary>Most pages asked for by a fetcher and not here.</summary>
    public int FetchWindow { get; init; } = 256;

    /// <summary>How often a fetcher looks for slow requests.</summary>
    public int TickNs { get; init; } = 1_000_000;

    /// <summary>When a request is asked again elsewhere; 0 never.</summary>
    public int TimeoutNs { get; init; } = 5_000_000;

    /// <summary>Are slow requests asked of a second source as well?</summary>
    public bool Hedge { get; init; }

    /// <summary>Source nodes of the cluster; 0 is one process, with <see cref="Fetchers"/> and <see cref="Replicas"/>.</summary>
    public int SourceNodes { get; init; }

    /// <summary>Fetcher nodes.</summary>
    public int FetcherNodes { get; init; }

    /// <summary>Other destinations, each with a VM of its own from the same image.</summary>
    public int OtherDestinations { get; init; }

    /// <summary>Does the cluster decide on members that stay away for long?</summary>
    public bool ResolvesSplits { get; init; }

    /// <summary>Longest wait of a cleared bit for others.</summary>
    public int ClearsNs { get; init; } = 20_000_000;

    /// <summary>From the cluster's forming to the migration's start.</summary>
    public int HeadStartNs { get; init; }

    /// <summary>Do nodes of a cluster play the parts of the run, and not one process?</summary>
    public bool IsClustered => SourceNodes > 0;

    /// <summary>What goes wrong.</summary>
    public IReadOnlyList<PlannedFault> Faults { get; init; } = [];

    /// <summary>From here on nothing goes wrong any more: the liveness phase begins.</summary>
    public long FaultsEndNs => Faults.Count == 0 ? 0 : Faults.Max(f => f.EndNs);

    /// <summary>Page sources of all fetchers.</summary>
    public int Sources => Fetchers * Replicas;
}
