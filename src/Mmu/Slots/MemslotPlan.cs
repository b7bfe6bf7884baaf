namespace Userfault.Mmu;

/// <summary>What a memory region call would do, decided without doing any of it.</summary>
/// <param name="Errno">Why the call fails, or none; where it fails nothing else here is meaningful.</param>
/// <param name="Change">What changes.</param>
/// <param name="Old">The slot as it is, where there is one.</param>
/// <param name="New">The slot as it will be, where there will be one. A guest_memfd that has to be bound is not
/// set.</param>
public readonly record struct MemslotPlan(Errno Errno, MemslotChange Change, Memslot? Old, Memslot? New)
{
    internal static MemslotPlan Fail(Errno errno) => new(errno, MemslotChange.Nothing, null, null);
}
