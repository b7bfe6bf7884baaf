using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// Words of a userfault bitmap as they were when every batch up to a sequence number had been applied.
/// </summary>
/// <param name="Vm">Name of the VM.</param>
/// <param name="Slot">The slot.</param>
/// <param name="Sequence">The last batch that the words include; they may include later ones.</param>
/// <param name="FirstWord">First word.</param>
/// <param name="Words">The words: a set bit is a missing page. Empty if the slot has no such words.</param>
public sealed record BitmapRange(string Vm, SlotId Slot, ulong Sequence, ulong FirstWord, IReadOnlyList<ulong> Words)
    : INodeMessage
{
    /// <summary>
    /// Maximum words per answer: 1 GiB of guest memory, and a quarter of the smallest frame that nodes accept.
    /// </summary>
    public const int MostWords = 4096;
}
