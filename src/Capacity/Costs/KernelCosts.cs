using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// The cost of a fault in one host's kernel, as a few physical parameters. All times in ns. docs/model.md explains how
/// each was determined; <c>userfault model fit</c> determines them again.
/// </summary>
/// <param name="FaultNs">A second-stage fault on a present page, without other vCPUs: exit to KVM, walk, map,
/// entry.</param>
/// <param name="MapLineNs">Time for which a fault keeps cache lines to itself that all vCPUs write: mmu_lock,
/// mmap_lock, page and file counters. Others wait for them meanwhile.</param>
/// <param name="ExitNs">The exit to user space, placing the page's content there, and the second fault.</param>
/// <param name="ExitLineNs">The same for counters touched when a vCPU's thread leaves and enters KVM.</param>
/// <param name="ResolveLineNs">The same for a COPY or CONTINUE: the counters of the descriptor and of the address
/// space.</param>
/// <param name="ReaderNs">One pass of a userfaultfd reader: poll, read, content, COPY or CONTINUE, wake.</param>
/// <param name="WakeNs">Putting a vCPU's thread to sleep in userfaultfd, and waking it.</param>
/// <param name="HerdNs">Added to a pass by each further reader of one descriptor: the lock of its wait queue moves from
/// core to core, and a fault wakes readers that find nothing.</param>
/// <param name="Growth">How much longer a contended line is kept with more vCPUs, as a power of their number: each
/// handover also takes the line away from all that wait for it. 0 is a queue in good order.</param>
/// <param name="AllocateNs">Added by anonymous memory: a fresh page, accounted and filled, which shmem already has in
/// its cache.</param>
/// <param name="ResolveNs">A COPY or CONTINUE with DONTWAKE, alone on its descriptor.</param>
/// <param name="SiblingShare">Slowdown of a thread whose core's other hyper-thread is busy: 0.5 means 1.5 times as
/// long.</param>
/// <param name="ReaderWakeNs">Waking a reader that sleeps.</param>
/// <param name="WakeLineNs">Added to the two wakeups of a fault by each further vCPU that has a descriptor and a reader
/// of its own: the scheduler looks for a processor, over run queues that all of them write.</param>
/// <param name="LineShare">The share of a fault's work that lies at lines which other vCPUs write as well, and so can
/// wait: 0 is one line with a queue, which shows no contention until it is busy; 1 is a chain of lines, which
/// costs the same for every further vCPU.</param>
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
    double SiblingShare,
    double ReaderWakeNs,
    double WakeLineNs,
    double LineShare
)
{
    /// <summary>Fitted to an x86 host: 96 logical processors on 48 cores, TDP MMU.</summary>
    public static KernelCosts X86 { get; } =
        new(
            FaultNs: 2329,
            MapLineNs: 162,
            ExitNs: 2854,
            ExitLineNs: 21.7,
            ResolveLineNs: 36.9,
            ReaderNs: 4560,
            WakeNs: 2024,
            HerdNs: 111.2,
            Growth: 0.1152,
            AllocateNs: 634.7,
            ResolveNs: 631.7,
            SiblingShare: 0.4904,
            ReaderWakeNs: 2137,
            WakeLineNs: 1159,
            LineShare: 0.8
        );

    /// <summary>Fitted to an arm64 host with 96 cores.</summary>
    public static KernelCosts Arm64 { get; } =
        new(
            FaultNs: 2092,
            MapLineNs: 215.3,
            ExitNs: 2647,
            ExitLineNs: 403.9,
            ResolveLineNs: 31,
            ReaderNs: 4181,
            WakeNs: 4232,
            HerdNs: 153.7,
            Growth: 0.1736,
            AllocateNs: 634.7,
            ResolveNs: 631.7,
            SiblingShare: 0.4904,
            ReaderWakeNs: 2137,
            WakeLineNs: 1159,
            LineShare: 0
        );

    /// <summary>The fitted costs of an architecture.</summary>
    public static KernelCosts Of(Architecture architecture) => architecture == Architecture.X86 ? X86 : Arm64;
}
