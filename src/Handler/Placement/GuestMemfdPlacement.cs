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
    private const ulong MaxContinued = 64;

    /// <inheritdoc/>
    public override ulong FaultPages => 1;

    /// <inheritdoc/>
    public override PlaceWay UsualWay => PlaceWay.File;

    /// <inheritdoc/>
    public override PlaceResult PlaceZero(MemoryPage page, in GuestRegion region) =>
        State.Removed.IsSet(page.Value) ? base.PlaceZero(page, region) : Continue(page, region);

    // Written into the guest_memfd: who sleeps on it in the monitor's own mapping still does.
    /// <inheritdoc/>
    public override PlaceResult Reveal(MemoryPage page) => PlaceZero(page);

    /// <inheritdoc/>
    public override void ShowInPlace(MemoryPage page) => memfd.Clear(page, 1);

    /// <inheritdoc/>
    protected override UffdResult PlaceRun(MemoryPage first, ulong address, ulong pages, byte* bytes, PlaceWay way)
    {
        State.BeginPlacing(first, pages, way == PlaceWay.Userfaultfd);
        return way == PlaceWay.File
            ? memfd.Write(first, pages, bytes, Zeros)
            : base.PlaceRun(first, address, pages, bytes, way);
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

    // The content is in the guest_memfd, and the VMM's own mapping does not know yet.
    private PlaceResult Continue(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        // Its neighbours that are in the file too, as far as the first that is mapped already.
        var max = Math.Min(MaxContinued, region.Pages.End.Value - page.Value);
        ulong run = 1;
        while (run < max && !State.Missing.IsSet(page.Value + run))
            run++;
        var result = Uffd.Continue(address, run << Page.Shift);
        if (result.Done > 0)
            return PlaceResult.Done;
        // Into the next mapping: the page that was touched, alone.
        if (result.Error == LinuxErrno.ENOENT && run > 1)
            result = Uffd.Continue(address, Page.Size);
        // A hole in the file: a page whose content is zeros and was never written.
        if (result.Error == LinuxErrno.EFAULT)
            result = Resolve(address, 1, null);
        return Ended(result.Error, page, address);
    }
}
