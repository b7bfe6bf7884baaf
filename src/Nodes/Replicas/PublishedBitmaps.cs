using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// The bitmaps that a destination offers for replication, as seen from outside their publisher: part of its node's
/// report. Written only by <see cref="ClearPublisherActor"/>, read from any thread.
/// </summary>
/// <param name="image">The image that the VM's pages come from.</param>
public sealed class PublishedBitmaps(ImageIdentity image)
{
    private volatile IReadOnlyList<BitmapShape> _shapes = [];

    /// <summary>The current bitmaps.</summary>
    public IReadOnlyList<BitmapShape> Shapes => _shapes;

    internal void Set(IEnumerable<(string Vm, SlotId Slot, MemoryPageRange Pages, ulong Sequence)> slots) =>
        _shapes = [.. slots.Select(s => new BitmapShape(s.Vm, image, s.Slot, s.Pages, s.Sequence))];
}
