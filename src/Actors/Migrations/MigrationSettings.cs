using Userfault.Fetch;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The settings of a migration, apart from the image, the workload and the sources. Times in ns, sizes in pages.
/// </summary>
public sealed record MigrationSettings
{
    /// <summary>The guest's architecture.</summary>
    public Architecture Architecture { get; init; } = Architecture.X86;

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; } = FaultMode.Both;

    /// <summary>The backing of guest memory.</summary>
    public MemoryKind Memory { get; init; } = MemoryKind.Anonymous;

    /// <summary>Background push.</summary>
    public BackgroundOrder Background { get; init; } = BackgroundOrder.Sequential;

    /// <summary>Maximum background pages in flight.</summary>
    public int BackgroundWindowPages { get; init; } = 128;

    /// <summary>Pages per background request.</summary>
    public int BackgroundChunkPages { get; init; } = 64;

    /// <summary>Must every page arrive? If not, a demand-only migration ends with the guest's streams.</summary>
    public bool FetchAll => Background != BackgroundOrder.None;

    /// <summary>
    /// Are all pages in place from the start? Then nothing is fetched and no userfault is used: the baseline for the
    /// other modes.
    /// </summary>
    public bool StartsWhole { get; init; }

    /// <summary>The settings of its memslots.</summary>
    public MemslotSettings Memslot { get; init; } = new();

    /// <summary>
    /// Accesses by device models and by KVM itself while the guest runs, to random pages; 0 for none.
    /// </summary>
    public int HostAccesses { get; init; }

    /// <summary>
    /// Maximum memslot size in pages; larger regions are split. 0 makes one slot per region of the image.
    /// </summary>
    public ulong SlotPages { get; init; }

    /// <summary>Number of fetcher actors.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>The settings of the fetch engines.</summary>
    public FetchSettings Fetcher { get; init; } = new();

    /// <summary>
    /// Maximum faults per message from the vCPUs to a memslot; 0 derives it from the number of vCPUs.
    /// </summary>
    public int FaultBatch { get; init; }

    /// <summary>The settings of the vCPUs.</summary>
    public VcpuSettings Vcpu { get; init; } = new();

    /// <summary>Interval of progress messages, in ns; 0 never.</summary>
    public long ProgressNs { get; init; } = 100_000_000;

    /// <summary>Interval of the timeline's samples, in ns.</summary>
    public long SampleNs { get; init; } = 20_000_000;

    /// <summary>Number of cells in the picture of the bitmap, in progress and in the timeline.</summary>
    public int StripCells { get; init; } = 128;

    /// <summary>Seed of all random choices.</summary>
    public ulong Seed { get; init; } = 1;
}
