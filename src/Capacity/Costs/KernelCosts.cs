using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// The cost of a fault in one host's kernel, as a few physical parameters. All times in ns. docs/model.md explains how
/// each was determined; <c>userfault model fit</c> determines them again.
/// </summary>
/// <param name="FaultNs">A second-stage fault on a present page, without other vCPUs: exit to KVM, walk, map,
/// entry.</param>
/// <param name="MapLineNs">Added to a fault by each further core, through cache lines that all vCPUs write: mmu_lock,
/// mmap_lock, page and file counters. Multiplied by the number of other cores to the power
/// <see cref="Growth"/>.</param>
/// <param name="ExitNs">The exit to user space, placing the page's content there, and the second fault.</param>
/// <param name="ExitLineNs">Added to that by each further core: counters touched when a vCPU's thread leaves and enters
/// KVM.</param>
/// <param name="ResolveLineNs">Added to a COPY or CONTINUE by each further core: the counters of the descriptor and of
/// the address space.</param>
/// <param name="ReaderNs">One pass of a userfaultfd reader: poll, read, content, COPY or CONTINUE, wake.</param>
/// <param name="WakeNs">Putting a vCPU's thread to sleep in userfaultfd, and waking it.</param>
/// <param name="HerdNs">Added to a pass by each further reader of one descriptor: the lock of its wait queue moves from
/// core to core, and a fault wakes readers that find nothing.</param>
/// <param name="Growth">How the cost of a contended cache line grows with cores: the power of (cores - 1). 1 is a queue
/// at one line; below 1, waiters at one line are absent from the others.</param>
/// <param name="AllocateNs">Added by anonymous memory: a fresh page, accounted and filled, which shmem already has in
/// its cache.</param>
/// <param name="ResolveNs">A COPY or CONTINUE with DONTWAKE, alone on its descriptor.</param>
/// <param name="SiblingShare">Slowdown of a thread whose core's other hyper-thread is busy: 0.5 means 1.5 times as
/// long.</param>
public sealed record KernelCosts(
    double FaultNs,
    double MapLineNs,
    double ExitNs,
    double ExitLineNs,
    double ResolveLineNs,
    double ReaderNs,
    double WakeNs,
    double HerdNs,
    double Growth,
    double AllocateNs,
    double ResolveNs,
    double SiblingShare
)
{
    /// <summary>Fitted to an x86 host: 96 logical processors on 48 cores, TDP MMU.</summary>
    public static KernelCosts X86 { get; } =
        new(
            FaultNs: 1889,
            MapLineNs: 787,
            ExitNs: 2760,
            ExitLineNs: 86,
            ResolveLineNs: 172,
            ReaderNs: 4673,
            WakeNs: 2368,
            HerdNs: 208,
            Growth: 0.737,
            AllocateNs: 585,
            ResolveNs: 599,
            SiblingShare: 0.488
        );

    /// <summary>Fitted to an arm64 host with 96 cores.</summary>
    public static KernelCosts Arm64 { get; } =
        new(
            FaultNs: 1889,
            MapLineNs: 494,
            ExitNs: 2157,
            ExitLineNs: 878,
            ResolveLineNs: 49,
            ReaderNs: 4158,
            WakeNs: 5721,
            HerdNs: 139,
            Growth: 0.968,
            AllocateNs: 585,
            ResolveNs: 599,
            SiblingShare: 0.488
        );

    /// <summary>The fitted costs of an architecture.</summary>
    public static KernelCosts Of(Architecture architecture) => architecture == Architecture.X86 ? X86 : Arm64;
}
