namespace Userfault.Mmu.Tests;

/// <summary>One call on a VM that has been prepared, and what must come of it.</summary>
/// <param name="Name">What is special about it.</param>
/// <param name="Expected">The errno.</param>
/// <param name="Change">What makes the region differ from a good one.</param>
/// <param name="Existing">Flags of the slot that is there already; null where there is none.</param>
/// <param name="Policy">The VM; x86 where null.</param>
/// <param name="Prepare">What else to do first.</param>
public sealed record RegionCase(
    string Name,
    Errno Expected,
    RegionCase.Edit Change,
    MemslotFlags? Existing = null,
    MmuPolicy? Policy = null,
    Action<TestVm>? Prepare = null
)
{
    public delegate void Edit(ref UserspaceMemoryRegion2 region);

    public override string ToString() => Name;
}
