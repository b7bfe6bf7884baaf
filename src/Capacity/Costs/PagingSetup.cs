using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// One configuration of the kernel's demand_paging_test: every vCPU touches each page of its own share once, and the
/// content is at hand. The input of <see cref="KernelCostModel"/>.
/// </summary>
/// <param name="Architecture">The host's architecture.</param>
/// <param name="Mode">How missing pages are caught.</param>
/// <param name="IsAnonymous">Memory is anonymous (MISSING, COPY) rather than shmem (MINOR, CONTINUE).</param>
/// <param name="Vcpus">Number of vCPUs, at least 1, each with its own thread.</param>
public sealed record PagingSetup(Architecture Architecture, PagingMode Mode, bool IsAnonymous, int Vcpus)
{
    /// <summary>
    /// Threads that read a descriptor which covers all memory, at least 1; used only by userfaultfd alone.
    /// </summary>
    public int Readers { get; init; } = 1;

    /// <summary>One descriptor (with a reader) per vCPU, rather than one for all of guest memory.</summary>
    public bool HasDescriptorPerVcpu { get; init; }

    /// <summary>Logical processors of the host; 0 for as many cores as there are busy threads.</summary>
    public int HostProcessors { get; init; }

    /// <summary>Logical processors per core: 2 with hyper-threading.</summary>
    public int ThreadsPerCore { get; init; } = 1;
}
