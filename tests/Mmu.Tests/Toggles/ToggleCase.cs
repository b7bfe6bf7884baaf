namespace Userfault.Mmu.Tests;

/// <summary>A change of flags on a slot with mappings, and what the table must look like behind it.</summary>
/// <param name="Name">What is special about it.</param>
/// <param name="Policy">The VM.</param>
/// <param name="From">Flags before.</param>
/// <param name="To">Flags after.</param>
/// <param name="Expected">What is left of the mappings.</param>
/// <param name="Prepare">What is accessed before; without it pages 0 to 15 are written.</param>
public sealed record ToggleCase(
    string Name,
    MmuPolicy Policy,
    MemslotFlags From,
    MemslotFlags To,
    ToggleEvents Expected,
    Action<TestVm>? Prepare = null
);
