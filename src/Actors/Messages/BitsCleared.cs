using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Bits that a memslot has cleared since its last batch. Sent between nodes.</summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Slot">The slot.</param>
/// <param name="Pages">The pages of the image that the slot's bits represent, bit 0 first.</param>
/// <param name="Sequence">Counts the slot's batches from 1: a replica that misses one requests the range.</param>
/// <param name="Words">The bits.</param>
/// <param name="Batches">Number of the slot's batches merged into this one, the last being
/// <paramref name="Sequence"/>.</param>
public sealed record BitsCleared(
    string Vm,
    SlotId Slot,
    MemoryPageRange Pages,
    ulong Sequence,
    IReadOnlyList<ClearedWord> Words,
    uint Batches = 1
) : INodeMessage
{
    /// <summary>Maximum words per batch; a memslot sends sooner.</summary>
    public const int MostWords = 4096;
}
