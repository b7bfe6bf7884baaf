using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>Words of a userfault bitmap as they were when every batch up to a sequence number had been applied.</summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Slot">The slot.</param>
/// <param name="Sequence">The last batch that the words hold; they may hold more.</param>
/// <param name="FirstWord">First word.</param>
/// <param name="Words">The words: a set bit is a missing page. Empty where the slot has no such words.</param>
public sealed record BitmapRange(string Vm, SlotId Slot, ulong Sequence, ulong FirstWord, IReadOnlyList<ulong> Words)
    : INodeMessage
{
    /// <summary>Most words of one answer: a GiB of guest memory, a quarter of the smallest frame that nodes take.</summary>
    public const int MostWords = 4096;
}
