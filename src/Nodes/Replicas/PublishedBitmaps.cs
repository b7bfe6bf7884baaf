using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>
/// The bitmaps that a destination lets others replicate, as seen from outside their publisher: what its node reports.
/// Written by <see cref="ClearPublisherActor"/> alone, read from any thread.
/// </summary>
/// <param name="image">The image that the VM's pages come from.</param>
public sealed class PublishedBitmaps(ImageIdentity image)
{
    private volatile IReadOnlyList<BitmapShape> _shapes = [];

    /// <summary>The bitmaps now.</summary>
    public IReadOnlyList<BitmapShape> Shapes => _shapes;

    internal void Set(IEnumerable<(string Vm, SlotId Slot, GfnRange Pages, ulong Sequence)> slots) =>
        _shapes = [.. slots.Select(s => new BitmapShape(s.Vm, image, s.Slot, s.Pages, s.Sequence))];
}
