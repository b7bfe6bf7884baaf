using Userfault.Fetch;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// What a migration does; everything but the image, the workload and the sources. Times in ns, sizes in pages.
/// </summary>
public sealed record MigrationSettings
{
    /// <summary>The guest's architecture.</summary>
    public Architecture Architecture { get; init; } = Architecture.X86;

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; } = FaultMode.Both;

    /// <summary>What backs guest memory.</summary>
    public MemoryKind Memory { get; init; } = MemoryKind.Anonymous;

    /// <summary>Background push.</summary>
    public BackgroundOrder Background { get; init; } = BackgroundOrder.Sequential;

    /// <summary>Most background pages wanted and not yet here.</summary>
    public int BackgroundWindowPages { get; init; } = 256;

    /// <summary>Pages of one background request.</summary>
    public int BackgroundChunkPages { get; init; } = 64;

    /// <summary>Must every page arrive, or does the end of the guest's streams end a demand-only migration?</summary>
    public bool FetchAll => Background != BackgroundOrder.None;

    /// <summary>
    /// Is nothing missing at the start? Then nothing is fetched, no userfault is used, and pages are what the host
    /// gives: the yardstick of the other modes.
    /// </summary>
    public bool StartsWhole { get; init; }

    /// <summary>How its memslots work.</summary>
    public MemslotSettings Memslot { get; init; } = new();

    /// <summary>
    /// Accesses by device models and by KVM itself while the guest runs, over random pages; 0 is none.
    /// </summary>
    public int HostAccesses { get; init; }

    /// <summary>Largest memslot in pages; a larger region is split. 0 is one slot a region of the image.</summary>
    public ulong SlotPages { get; init; }

    /// <summary>Fetcher actors.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>How fetchers ask.</summary>
    public FetchSettings Fetcher { get; init; } = new();

    /// <summary>Most faults of one message from the vCPUs to a memslot; 0 is by the number of vCPUs.</summary>
    public int FaultBatch { get; init; }

    /// <summary>How vCPUs run.</summary>
    public VcpuSettings Vcpu { get; init; } = new();

    /// <summary>How often progress is told; 0 never.</summary>
    public long ProgressNs { get; init; } = 100_000_000;

    /// <summary>How often the timeline is sampled for the report.</summary>
    public long SampleNs { get; init; } = 20_000_000;

    /// <summary>Cells of the picture of the bitmap, in progress and in the timeline.</summary>
    public int StripCells { get; init; } = 128;

    /// <summary>Seed of everything that is chosen by chance.</summary>
    public ulong Seed { get; init; } = 1;
}
