using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// One guest under post-copy on one network: the input of <see cref="SweepRun"/>. Durations in ns, sizes in pages.
/// </summary>
public sealed record SweepPoint
{
    /// <summary>The destination's architecture.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>How missing pages are caught; not <see cref="PagingMode.None"/>.</summary>
    public PagingMode Mode { get; init; } = PagingMode.Userfault;

    /// <summary>Number of vCPUs, at least 1.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>From requesting a page from a fetcher to the first byte of the answer, on an idle network.</summary>
    public long LatencyNs { get; init; } = 30_000;

    /// <summary>Number of fetchers, at least 1.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>Pages per second that one fetcher serves; 0 is unlimited.</summary>
    public double FetcherPagesPerSecond { get; init; }

    /// <summary>Maximum pages in flight per fetcher.</summary>
    public int FetcherWindowPages { get; init; } = 4096;

    /// <summary>Bits per second into the destination, shared by all fetchers; 0 is unlimited.</summary>
    public double BitsPerSecond { get; init; }

    /// <summary>The pages fetched ahead of need.</summary>
    public PrefetchKind Prefetch { get; init; }

    /// <summary>
    /// Pages around a fault with <see cref="PrefetchKind.Locality"/>, as the memslot actor takes them: half of them,
    /// after it.
    /// </summary>
    public int LocalityPages { get; init; } = 16;

    /// <summary>Maximum background pages in flight; also the maximum per fetcher.</summary>
    public int BackgroundWindowPages { get; init; } = 128;

    /// <summary>The share of the touched pages that the recorded working set holds, 0 to 1.</summary>
    public double RecordedShare { get; init; } = 0.9;

    /// <summary>Computing time of a vCPU between one new page and the next.</summary>
    public long ThinkNs { get; init; }

    /// <summary>Guest memory of each vCPU's share; only its bitmaps are allocated here.</summary>
    public long PagesPerVcpu { get; init; } = 16384;

    /// <summary>Pages of its share that each vCPU touches, in ascending order from the share's start.</summary>
    public int TouchesPerVcpu { get; init; } = 1024;

    /// <summary>Is memory anonymous rather than shmem?</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>Threads that read a descriptor of all memory.</summary>
    public int Readers { get; init; } = 1;

    /// <summary>One userfaultfd descriptor and reader per vCPU, rather than one for all memory.</summary>
    public bool HasDescriptorPerVcpu { get; init; }

    /// <summary>Logical processors of the destination; 0 for as many cores as there are vCPUs.</summary>
    public int HostProcessors { get; init; }

    /// <summary>Logical processors per core.</summary>
    public int ThreadsPerCore { get; init; } = 1;

    /// <summary>The kernel's costs; null for those fitted for the architecture.</summary>
    public KernelCosts? Costs { get; init; }

    /// <summary>
    /// Time in which user space puts a prefetched page in place, on a separate thread; 4 KiB at 8 GB/s.
    /// </summary>
    public double CopyNs { get; init; } = 500;

    /// <summary>Seed of service times and of the recorded working set.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The setup for the kernel's cost model.</summary>
    public PagingSetup Setup =>
        new(Architecture, Mode, IsAnonymous, Vcpus)
        {
            Readers = Readers,
            HasDescriptorPerVcpu = HasDescriptorPerVcpu,
            HostProcessors = HostProcessors,
            ThreadsPerCore = ThreadsPerCore,
        };
}
