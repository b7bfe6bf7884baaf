namespace Userfault.Mmu.Tests;

/// <summary>One access to a prepared VM, and what must come of it, event by event.</summary>
/// <param name="Step">The step of the fault path that decides.</param>
/// <param name="Name">What is special about it.</param>
/// <param name="On">Which architecture.</param>
/// <param name="Flags">Flags of the slot.</param>
/// <param name="Access">The access; its gfn counts from the slot's first page.</param>
/// <param name="Expected">What must come of it.</param>
/// <param name="Prepare">What happens before.</param>
public sealed record FaultCase(
    int Step,
    string Name,
    Architecture On,
    MemslotFlags Flags,
    VcpuAccess Access,
    FaultEvents Expected,
    Action<TestVm>? Prepare = null
);
