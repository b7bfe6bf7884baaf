using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// One guest under post-copy on one network: what <see cref="SweepRun"/> plays. Durations in ns, sizes in pages.
/// </summary>
public sealed record SweepPoint
{
    /// <summary>The destination's architecture.</summary>
    public Architecture Architecture { get; init; }

    /// <summary>What stands between a vCPU and a missing page; not <see cref="PagingMode.None"/>.</summary>
    public PagingMode Mode { get; init; } = PagingMode.Userfault;

    /// <summary>vCPUs, at least 1.</summary>
    public int Vcpus { get; init; } = 1;

    /// <summary>From asking a fetcher for a page to the first byte of the answer, on an idle network.</summary>
    public long LatencyNs { get; init; } = 30_000;

    /// <summary>Fetchers, at least 1.</summary>
    public int Fetchers { get; init; } = 1;

    /// <summary>Pages a second that one fetcher serves; 0 is without bound.</summary>
    public double FetcherPagesPerSecond { get; init; }

    /// <summary>Most pages asked of one fetcher and not here.</summary>
    public int FetcherWindowPages { get; init; } = 4096;

    /// <summary>Bits a second into the destination, shared by all fetchers; 0 is without bound.</summary>
    public double BitsPerSecond { get; init; }

    /// <summary>What comes unasked.</summary>
    public PrefetchKind Prefetch { get; init; }

    /// <summary>
    /// Pages around a fault with <see cref="PrefetchKind.Locality"/>, as the memslot actor takes them: half of them,
    /// behind it.
    /// </summary>
    public int LocalityPages { get; init; } = 16;

    /// <summary>Most background pages asked for and not in place; also the most of them at one fetcher.</summary>
    public int BackgroundWindowPages { get; init; } = 256;

    /// <summary>The share of the touched pages that the recorded working set holds, 0 to 1.</summary>
    public double RecordedShare { get; init; } = 0.9;

    /// <summary>What a vCPU computes between one new page and the next.</summary>
    public long ThinkNs { get; init; }

    /// <summary>Guest memory of each vCPU's share; only its bitmaps exist here.</summary>
    public long PagesPerVcpu { get; init; } = 16384;

    /// <summary>Pages of its share that each vCPU touches, in ascending order from the share's start.</summary>
    public int TouchesPerVcpu { get; init; } = 1024;

    /// <summary>Is memory anonymous, not shmem?</summary>
    public bool IsAnonymous { get; init; }

    /// <summary>Threads that read a descriptor of all memory.</summary>
    public int Readers { get; init; } = 1;

    /// <summary>One userfaultfd descriptor and reader a vCPU, and not one for all memory.</summary>
    public bool HasDescriptorPerVcpu { get; init; }

    /// <summary>Logical processors of the destination; 0: as many cores as there are vCPUs.</summary>
    public int HostProcessors { get; init; }

    /// <summary>Logical processors of one core.</summary>
    public int ThreadsPerCore { get; init; } = 1;

    /// <summary>What the kernel spends; null is what was fitted for the architecture.</summary>
    public KernelCosts? Costs { get; init; }

    /// <summary>
    /// What user space spends to put a prefetched page in place, on its thread for that; 4 KiB at 8 GB/s.
    /// </summary>
    public double CopyNs { get; init; } = 500;

    /// <summary>Seed of service times and of what a record holds.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>The kernel's side of it, for the cost model.</summary>
    public PagingSetup Setup =>
        new(Architecture, Mode, IsAnonymous, Vcpus)
        {
            Readers = Readers,
            HasDescriptorPerVcpu = HasDescriptorPerVcpu,
            HostProcessors = HostProcessors,
            ThreadsPerCore = ThreadsPerCore,
        };
}
