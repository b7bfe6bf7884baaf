using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>Bits that a memslot has cleared since its last batch. Crosses nodes.</summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Slot">The slot.</param>
/// <param name="Sequence">Counts the batches of the slot from 1: a replica that misses one asks for the range.</param>
/// <param name="Words">The bits.</param>
public sealed record BitsCleared(string Vm, SlotId Slot, ulong Sequence, IReadOnlyList<ClearedWord> Words);
