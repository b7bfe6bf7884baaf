using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// One way to run the kernel's demand_paging_test: every vCPU touches each page of a share of its own once, and the
/// content is at hand. What <see cref="KernelCostModel"/> answers about.
/// </summary>
/// <param name="Architecture">The host's architecture.</param>
/// <param name="Mode">What stands between a vCPU and a page.</param>
/// <param name="IsAnonymous">Memory is anonymous (MISSING, COPY) and not shmem (MINOR, CONTINUE).</param>
/// <param name="Vcpus">vCPUs, at least 1, each a thread of its own.</param>
public sealed record PagingSetup(Architecture Architecture, PagingMode Mode, bool IsAnonymous, int Vcpus)
{
    /// <summary>
    /// Threads that read a descriptor which covers all memory, at least 1; only userfaultfd alone asks.
    /// </summary>
    public int Readers { get; init; } = 1;

    /// <summary>One descriptor (with a reader) a vCPU, and not one for all of guest memory.</summary>
    public bool HasDescriptorPerVcpu { get; init; }

    /// <summary>Logical processors of the host; 0: as many cores as there are busy threads.</summary>
    public int HostProcessors { get; init; }

    /// <summary>Logical processors of one core: 2 with hyper-threading.</summary>
    public int ThreadsPerCore { get; init; } = 1;
}
