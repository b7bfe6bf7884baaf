using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>A userfault bitmap that a destination offers to other nodes: all that a replica needs to start.</summary>
/// <param name="Vm">Name of the VM; unique in the cluster.</param>
/// <param name="Image">The image that its pages come from.</param>
/// <param name="Slot">The memslot.</param>
/// <param name="Pages">The pages of the image that the bits represent, bit 0 first.</param>
/// <param name="Sequence">The last batch of clears that was sent; 0 before the first.</param>
public sealed record BitmapShape(string Vm, ImageIdentity Image, SlotId Slot, MemoryPageRange Pages, ulong Sequence)
{
    /// <summary>The topic of DistributedPubSub on which its clears are broadcast.</summary>
    public string Topic => TopicOf(Vm, Slot);

    /// <summary>The topic of a slot's clears.</summary>
    public static string TopicOf(string vm, SlotId slot) => $"userfault/{vm}/{slot.Raw}";
}
