namespace Userfault.Mmu;

/// <summary>The effect of a memory region call, decided without changing anything.</summary>
/// <param name="Errno">Why the call fails, or none. If it fails, the other values are meaningless.</param>
/// <param name="Change">The kind of change.</param>
/// <param name="Old">The slot before the change, if there is one.</param>
/// <param name="New">The slot after the change, if there is one. A guest_memfd that must be bound is not set.</param>
public readonly record struct MemslotPlan(Errno Errno, MemslotChange Change, Memslot? Old, Memslot? New)
{
    internal static MemslotPlan Fail(Errno errno) => new(errno, MemslotChange.Nothing, null, null);
}
