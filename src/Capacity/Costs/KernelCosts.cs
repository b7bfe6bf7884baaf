using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// What one host's kernel spends on a fault, as a few physical parameters. All times in ns. docs/model.md says how each
/// was found; <c>userfault model fit</c> finds them again.
/// </summary>
/// <param name="FaultNs">A second-stage fault on a page that is present: exit to KVM, walk, map, entry. Nobody else
/// about.</param>
/// <param name="MapLineNs">What each further core adds to a fault through cache lines that all vCPUs write: mmu_lock,
/// mmap_lock, page and file counts. Times <see cref="Growth"/>'s power of the other cores.</param>
/// <param name="ExitNs">The exit to user space, putting the page's content in place there, and the second
/// fault.</param>
/// <param name="ExitLineNs">What each further core adds to that: counts touched when a vCPU's thread leaves and enters
/// KVM.</param>
/// <param name="ResolveLineNs">What each further core adds to a COPY or CONTINUE: the descriptor's and the address
/// space's counts.</param>
/// <param name="ReaderNs">One pass of a userfaultfd reader: poll, read, content, COPY or CONTINUE, wake.</param>
/// <param name="WakeNs">A vCPU's thread put to sleep in userfaultfd, and woken.</param>
/// <param name="HerdNs">What each further reader of one descriptor adds to a pass: its wait queue's lock goes from core
/// to core, and a fault wakes readers that find nothing.</param>
/// <param name="Growth">How the cost of a contended cache line grows with cores: the power of (cores - 1). 1 is a queue
/// at one line; below 1, waiters at one line are missing at the others.</param>
/// <param name="AllocateNs">What anonymous memory adds: a fresh page, accounted and filled, where shmem has one in its
/// cache.</param>
/// <param name="ResolveNs">A COPY or CONTINUE with DONTWAKE, alone on its descriptor.</param>
/// <param name="SiblingShare">How much slower a thread runs whose core's other hyper-thread is busy: 0.5 is half again
/// as long.</param>
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
