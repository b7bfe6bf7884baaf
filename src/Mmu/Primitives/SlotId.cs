namespace Userfault.Mmu;

/// <summary>
/// The <c>slot</c> field of a memory region: address space in the upper 16 bits, slot id in the lower 16.
/// </summary>
/// <param name="Raw">The field as user space writes it.</param>
public readonly record struct SlotId(uint Raw)
{
    /// <summary>Composes the field from its halves.</summary>
    /// <param name="addressSpace">Address space; x86 with SMM emulation has two (0 normal, 1 SMM), all others have
    /// one.</param>
    /// <param name="id">Slot id within the address space.</param>
    public static SlotId Of(ushort addressSpace, ushort id) => new(((uint)addressSpace << 16) | id);

    /// <summary>The address space.</summary>
    public ushort AddressSpace => (ushort)(Raw >> 16);

    /// <summary>The slot id within its address space.</summary>
    public ushort Id => (ushort)Raw;

    /// <summary>"slot 3", or "slot 1:3" outside address space 0.</summary>
    public override string ToString() => AddressSpace == 0 ? $"slot {Id}" : $"slot {AddressSpace}:{Id}";
}
