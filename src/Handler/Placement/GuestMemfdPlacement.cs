using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// The secret-free form: content is written into the guest_memfd, and vCPUs ask for pages by exits. A thread of the
/// monitor that touches its own mapping sleeps in the userfaultfd, and gets its one page that way.
/// </summary>
internal sealed unsafe class GuestMemfdPlacement(
    VmDescriptors vm,
    IGuestMemfd memfd,
    PagerCounters counters,
    PagerSettings settings
) : Placement(vm, counters, settings)
{
    /// <inheritdoc/>
    public override ulong FaultPages => 1;

    /// <inheritdoc/>
    public override PlaceWay UsualWay => PlaceWay.File;

    // A page that is in the file is there, and one that is not does not fault so.
    /// <inheritdoc/>
    public override bool IsInPlaceIfCached(MemoryPage page) => false;

    /// <inheritdoc/>
    public override PlaceResult PlaceZero(MemoryPage page, in GuestRegion region) =>
        State.Removed.IsSet(page.Value) ? base.PlaceZero(page, region) : ContinueAround(page, region);

    // Written into the guest_memfd: who sleeps on it in the monitor's own mapping still does.
    /// <inheritdoc/>
    public override PlaceResult Reveal(MemoryPage page) => PlaceZero(page);

    /// <inheritdoc/>
    public override void ShowInPlace(MemoryPage page) => memfd.Clear(page, 1);

    /// <inheritdoc/>
    protected override UffdResult PlaceRun(MemoryPage first, ulong address, ulong pages, byte* bytes, PlaceWay way)
    {
        State.BeginPlacing(first, pages, way == PlaceWay.Userfaultfd);
        if (way != PlaceWay.File)
            return base.PlaceRun(first, address, pages, bytes, way);
        var written = memfd.Write(first, pages, bytes, Zeros);
        Counters.CountContinued(written.Done >> Page.Shift);
        return written;
    }

    /// <inheritdoc/>
    protected override void OnPlaced(MemoryPage first, ulong pages)
    {
        State.EndPlacing();
        memfd.Clear(first, pages);
    }

    // The monitor's own mapping goes; the guest has its memory all the same.
    /// <inheritdoc/>
    public override void Unmap(ulong start, ulong end) => Counters.CountUnmapped((end - start) >> Page.Shift);

    // Holes of the file are zeros without anybody's help.
    /// <inheritdoc/>
    protected override void OnForgotten(MemoryPage first, ulong pages) => memfd.Clear(first, pages);
}
