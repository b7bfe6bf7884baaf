using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Shared memory whose file is this process's too: content is written into the file, and then mapped into the guest by
/// runs (UFFDIO_CONTINUE).
/// <para>
/// A page whose content is in the file is in place, mapped or not: its bit is cleared before it is mapped. Until then
/// no thread of the guest can have seen it, so it may be written again, by a standby too; from then on it never is, as
/// the guest may have written to it. A page that could not be mapped, because the address space is changing or this
/// process died, is mapped when it is touched: the kernel reports that as a minor fault.
/// </para>
/// <para>
/// What the guest gives back: the thread that gives back sleeps until this thread has read the event, so all that was
/// written before is given back with it (MADV_REMOVE), and nothing is written afterwards, because the bit is cleared
/// first. No other thread writes to the file.
/// </para>
/// </summary>
internal sealed unsafe class FilePlacement : ThreadedPlacement, IPieceWriter
{
    private readonly IMemoryFile _file;

    /// <summary>A placement for one VM; owns none of what it is given.</summary>
    public FilePlacement(VmDescriptors vm, IMemoryFile file, PagerCounters counters, PagerSettings settings)
        : base(vm, counters, settings) => _file = file;

    /// <summary>The page cache holds every page, those too whose content has not come.</summary>
    public override bool IsInPlaceIfCached(MemoryPage page) => !State.Missing.IsSet(page.Value);

    // What was given back and is a hole now reads as zeros. All else is in the file.
    /// <inheritdoc/>
    public override PlaceResult PlaceZero(MemoryPage page, in GuestRegion region) =>
        State.Removed.IsSet(page.Value) ? base.PlaceZero(page, region) : ContinueAround(page, region);

    /// <inheritdoc/>
    public override PlaceResult MapCached(MemoryPage page, in GuestRegion region)
    {
        // The file holds what a device has written since, or what memory that was only let go of (MADV_DONTNEED) held.
        State.Removed.Clear(page.Value);
        return ContinueAround(page, region);
    }

    // On any of the threads. The pieces of one batch do not overlap.
    /// <inheritdoc/>
    public UffdResult Write(ulong first, ulong to, byte* from, ulong bytes)
    {
        var run = MissingFrom(first, bytes >> Page.Shift);
        if (run == 0)
            return new UffdResult(0, LinuxErrno.EEXIST);
        _file.Write(new MemoryPage(first), run, from);
        State.Missing.ClearRange(first, run);
        return Show(to, run, UffdModes.None) == PlaceResult.Done
            ? new UffdResult(run << Page.Shift, run == bytes >> Page.Shift ? LinuxErrno.None : LinuxErrno.EAGAIN)
            : new UffdResult(0, LinuxErrno.EAGAIN);
    }

    /// <inheritdoc/>
    protected override void MarkPiece(MemoryPage first, ulong pages)
    {
        Counters.CountContinued(pages);
        MarkPlacedBefore(first, pages);
    }

    // A page that is in place is not written again, whatever the reason that it comes twice.
    /// <inheritdoc/>
    protected override UffdResult PlaceRun(MemoryPage first, ulong address, ulong pages, byte* bytes, PlaceWay way)
    {
        var run = MissingFrom(first.Value, pages);
        if (run == 0)
            return new UffdResult(0, LinuxErrno.EEXIST);
        _file.Write(first, run, bytes);
        Counters.CountContinued(run);
        return new UffdResult(run << Page.Shift, run == pages ? LinuxErrno.None : LinuxErrno.EAGAIN);
    }

    /// <inheritdoc/>
    protected override PlaceResult Show(MemoryPage first, ulong address, ulong pages) => Show(address, pages, Modes);

    private ulong MissingFrom(ulong first, ulong pages)
    {
        ulong run = 0;
        while (run < pages && State.Missing.IsSet(first + run))
            run++;
        return run;
    }

    private PlaceResult Show(ulong address, ulong pages, UffdModes modes)
    {
        var end = address + (pages << Page.Shift);
        while (address < end)
        {
            var result = Uffd.Continue(address, end - address, modes);
            if (modes == UffdModes.DontWake)
                WakeLater(address, result.Done);
            address += result.Done;
            switch (result.Error)
            {
                case LinuxErrno.None:
                case LinuxErrno.EAGAIN when result.Done > 0:
                    break;
                case LinuxErrno.EEXIST:
                    // Mapped when it was touched; a thread may sleep on it all the same.
                    if (Wake(address, Page.Size) is var woken and not PlaceResult.Done)
                        return woken;
                    address += Page.Size;
                    break;
                case LinuxErrno.ESRCH:
                    return PlaceResult.Gone;
                default:
                    // Threads that sleep there touch their page again, and each is answered by what the file holds.
                    return Wake(address, end - address);
            }
        }
        return PlaceResult.Done;
    }
}
