using System.Runtime.InteropServices;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Puts pages in place, one class per kind of guest memory, and updates the bitmaps: a page's bit is cleared, with
/// release, once its content is there. What differs between the kinds is asked once per run of pages or per fault,
/// never per page. Owned by the pager's thread; allocates nothing after construction.
/// </summary>
internal abstract unsafe class Placement : IDisposable
{
    private byte* _zeros;
    private bool _hasNoZeropage;

    /// <summary>A placement for one VM; owns none of what it is given.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="counters">Where to count.</param>
    /// <param name="chunkPages">Pages to put in place around a fault.</param>
    protected Placement(VmDescriptors vm, PagerCounters counters, ulong chunkPages)
    {
        (Uffd, Map, State, Counters) = (vm.Uffd, vm.Map, vm.State, counters);
        PagesPerGranule = Map.PagesPerGranule;
        ChunkPages = Math.Max(chunkPages, PagesPerGranule);
        _zeros = (byte*)NativeMemory.AlignedAlloc((nuint)(PagesPerGranule << Page.Shift), Page.Size);
        NativeMemory.Clear(_zeros, (nuint)(PagesPerGranule << Page.Shift));
    }

    /// <summary>4 KiB pages of what the kernel puts in place at once: 1, or 512 for huge pages.</summary>
    public ulong PagesPerGranule { get; }

    /// <summary>Pages to put in place around a page that is wanted.</summary>
    public ulong ChunkPages { get; private set; }

    /// <summary>
    /// From now on the pages that are wanted come alone, or with as many around them as the settings say.
    /// </summary>
    /// <param name="chunkPages">What the settings say.</param>
    /// <param name="isAlone">Alone?</param>
    public void Narrow(ulong chunkPages, bool isAlone) =>
        ChunkPages = isAlone ? PagesPerGranule : Math.Max(chunkPages, PagesPerGranule);

    /// <summary>The same where a thread sleeps in the userfaultfd.</summary>
    public virtual ulong FaultPages => ChunkPages;

    /// <summary>How pages go in place that no fault of the userfaultfd asked for.</summary>
    public virtual PlaceWay UsualWay => PlaceWay.Userfaultfd;

    /// <summary>What the last <see cref="PlaceResult.Failed"/> was.</summary>
    public LinuxErrno Error { get; private set; }

    /// <summary>The userfaultfd of the VM.</summary>
    protected Userfaultfd Uffd { get; }

    /// <summary>Its regions.</summary>
    protected RegionMap Map { get; }

    /// <summary>Its bitmaps.</summary>
    protected VmState State { get; }

    /// <summary>Where to count.</summary>
    protected PagerCounters Counters { get; }

    /// <summary>A page of zeros, as large as the kernel puts in place at once.</summary>
    protected byte* Zeros => _zeros;

    /// <summary>The placement that a VM's memory needs.</summary>
    /// <exception cref="ProtocolException">A guest_memfd of huge pages.</exception>
    public static Placement Of(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
    {
        var isHuge = vm.Map.PagesPerGranule > 1;
        if (vm.Memfd is null)
            return isHuge ? new HugePlacement(vm, counters, settings) : new CopyPlacement(vm, counters, settings);
        return isHuge
            ? throw new ProtocolException("a guest_memfd of huge pages cannot be served: use pages of 4 KiB")
            : new GuestMemfdPlacement(vm, vm.Memfd, counters, settings);
    }

    /// <summary>The first page of what the kernel puts in place together with a page.</summary>
    public MemoryPage GranuleOf(MemoryPage memoryPage) => new(memoryPage.Value & ~(PagesPerGranule - 1));

    /// <summary>
    /// Begins a batch of single pages that several threads wait for, if that pays here: whoever sleeps on one is woken
    /// by <see cref="EndBatch"/> and not before.
    /// </summary>
    public virtual bool TryBeginBatch() => false;

    /// <summary>Wakes whoever waits for what was put in place since.</summary>
    public virtual void EndBatch() { }

    /// <summary>The piece at the front of a run of an image's pages that goes in place by one call.</summary>
    /// <param name="runs">The image.</param>
    /// <param name="first">The run's first page.</param>
    /// <param name="pages">Its length.</param>
    /// <param name="bytes">The piece's bytes, valid until the next call; null for zeros.</param>
    /// <returns>Pages in the piece.</returns>
    public virtual ulong NextPiece(ImageRuns runs, MemoryPage first, ulong pages, out byte* bytes) =>
        runs.Next(first, pages, out bytes);

    /// <summary>Puts a run of missing pages in place.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many; whole granules.</param>
    /// <param name="bytes">Their content, one after another; null for zeros.</param>
    /// <param name="isDemand">Does somebody wait for one of them?</param>
    /// <param name="way">Where there are two ways: which.</param>
    public PlaceResult Place(MemoryPage first, ulong pages, byte* bytes, bool isDemand, PlaceWay way)
    {
        var max = ulong.MaxValue;
        while (pages > 0)
        {
            if (!Map.TryAtPage(first, out var region))
            {
                Leave(first, 1, ref pages, ref first, ref bytes);
                continue;
            }
            var run = Math.Min(Math.Min(pages, max), region.Pages.End.Value - first.Value);
            var result = PlaceRun(first, region.AddressOf(first), run, bytes, way);
            var done = result.Done >> Page.Shift;
            if (done > 0)
            {
                MarkPlaced(first, done);
                Counters.CountPlaced(done, isDemand, bytes == null);
                Advance(done, ref pages, ref first, ref bytes);
            }
            switch (result.Error)
            {
                case LinuxErrno.None:
                    break;
                case LinuxErrno.EAGAIN when done > 0:
                    break;
                case LinuxErrno.EAGAIN:
                    Counters.CountEagain();
                    return PlaceResult.Again;
                case LinuxErrno.EEXIST:
                    SkipPresent(region, isDemand, ref pages, ref first, ref bytes);
                    break;
                case LinuxErrno.ENOENT when run > PagesPerGranule:
                    // It reaches from one mapping into the next, or a part of it is not watched: page by page, or what
                    // is there would be left with what is not.
                    max = PagesPerGranule;
                    break;
                case LinuxErrno.ENOENT:
                    Leave(first, run - done, ref pages, ref first, ref bytes);
                    break;
                case LinuxErrno.ESRCH:
                    return PlaceResult.Gone;
                default:
                    Error = result.Error;
                    return PlaceResult.Failed;
            }
        }
        return PlaceResult.Done;
    }

    /// <summary>
    /// A page that is not missing was touched: it was given back, or the touch came too late to be one.
    /// </summary>
    public virtual PlaceResult PlaceZero(MemoryPage page, in GuestRegion region)
    {
        var wasRemoved = State.Removed.IsSet(page.Value);
        var result = Resolve(region.AddressOf(page), PagesPerGranule, null);
        if (result.IsComplete || result.Error == LinuxErrno.EEXIST)
        {
            if (wasRemoved && result.IsComplete)
                Counters.CountRemovedTouched();
            State.Removed.ClearRange(page.Value, PagesPerGranule);
        }
        return Ended(result.Error, region.AddressOf(page));
    }

    /// <summary>The same, wherever the page lies; nothing is to be done outside of the regions.</summary>
    public PlaceResult PlaceZero(MemoryPage page) =>
        Map.TryAtPage(page, out var region) ? PlaceZero(page, region) : PlaceResult.Done;

    /// <summary>
    /// A page is in place by the usual way, and a thread may sleep on it in the userfaultfd: makes sure that the thread
    /// goes on.
    /// </summary>
    public virtual PlaceResult Reveal(MemoryPage page) => PlaceResult.Done;

    /// <summary>A vCPU asked for a page that is in place: makes sure that it does not ask again.</summary>
    public virtual void ShowInPlace(MemoryPage page) { }

    /// <summary>The guest gave a range back: it reads as zeros, and its content is not wanted any more.</summary>
    public void Remove(ulong start, ulong end) => Forget(start, end, isUnmapped: false);

    /// <summary>The monitor unmapped a range: nobody can touch it.</summary>
    public void Unmap(ulong start, ulong end) => Forget(start, end, isUnmapped: true);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        NativeMemory.AlignedFree(_zeros);
        _zeros = null;
    }

    /// <summary>Goes on behind what is done.</summary>
    protected static void Advance(ulong done, ref ulong pages, ref MemoryPage first, ref byte* bytes)
    {
        pages -= done;
        first = first.Plus(done);
        if (bytes != null)
            bytes += done << Page.Shift;
    }

    /// <summary>Puts a run that lies in one region in place: one call, or as many as the memory's kind needs.</summary>
    protected virtual UffdResult PlaceRun(MemoryPage first, ulong address, ulong pages, byte* bytes, PlaceWay way) =>
        Resolve(address, pages, bytes);

    /// <summary>Pages are in place and counted: what else has to know.</summary>
    protected virtual void OnPlaced(MemoryPage first, ulong pages) { }

    /// <summary>Puts pages in place by userfaultfd and wakes who sleeps on them.</summary>
    protected virtual UffdResult Resolve(ulong address, ulong pages, byte* bytes) =>
        bytes == null
            ? ResolveZeros(address, pages, UffdModes.None)
            : Uffd.Copy(address, bytes, pages << Page.Shift, UffdModes.None);

    /// <summary>Puts the kernel's zero page in place where the memory has one, else copies of zeros.</summary>
    protected UffdResult ResolveZeros(ulong address, ulong pages, UffdModes modes)
    {
        if (_hasNoZeropage)
            return CopyZeros(address, pages, modes);
        var result = Uffd.Zeropage(address, pages << Page.Shift, modes);
        if (result.Error != LinuxErrno.EINVAL)
            return result;
        // Some kinds of memory have no zero page to map: they get a copy of one.
        _hasNoZeropage = true;
        return CopyZeros(address, pages, modes);
    }

    /// <summary>Copies zeros into pages, one call per granule.</summary>
    protected UffdResult CopyZeros(ulong address, ulong pages, UffdModes modes)
    {
        var length = pages << Page.Shift;
        var granule = PagesPerGranule << Page.Shift;
        for (ulong at = 0; at < length; at += granule)
        {
            var result = Uffd.Copy(address + at, _zeros, granule, modes);
            if (!result.IsComplete)
                return at > 0 ? new UffdResult(at, LinuxErrno.EAGAIN) : result;
        }
        return new UffdResult(length, LinuxErrno.None);
    }

    /// <summary>What a call for one touched page came to.</summary>
    protected PlaceResult Ended(LinuxErrno error, ulong address)
    {
        switch (error)
        {
            case LinuxErrno.None:
                return PlaceResult.Done;
            case LinuxErrno.EEXIST:
                Counters.CountEexist();
                _ = Uffd.Wake(address, PagesPerGranule << Page.Shift);
                return PlaceResult.Done;
            case LinuxErrno.ENOENT:
                return PlaceResult.Done;
            case LinuxErrno.EAGAIN:
                Counters.CountEagain();
                return PlaceResult.Again;
            case LinuxErrno.ESRCH:
                return PlaceResult.Gone;
            default:
                Error = error;
                return PlaceResult.Failed;
        }
    }

    private void SkipPresent(
        in GuestRegion region,
        bool isDemand,
        ref ulong pages,
        ref MemoryPage first,
        ref byte* bytes
    )
    {
        Counters.CountEexist();
        MarkPlaced(first, PagesPerGranule);
        if (isDemand)
            _ = Uffd.Wake(region.AddressOf(first), PagesPerGranule << Page.Shift);
        Advance(PagesPerGranule, ref pages, ref first, ref bytes);
    }

    // Nobody can touch these: not registered, or not mapped any more.
    private void Leave(MemoryPage from, ulong count, ref ulong pages, ref MemoryPage first, ref byte* bytes)
    {
        Counters.CountUnmapped(count);
        MarkPlaced(from, count);
        Advance(count, ref pages, ref first, ref bytes);
    }

    /// <summary>Pages are in place: no longer missing, and all who have to know do.</summary>
    protected void MarkPlaced(MemoryPage first, ulong pages)
    {
        Counters.CountNoLongerMissing(State.Missing.ClearRange(first.Value, pages));
        OnPlaced(first, pages);
    }

    private void Forget(ulong start, ulong end, bool isUnmapped)
    {
        foreach (var region in Map.Regions)
        {
            var from = Math.Max(start, region.Start);
            var to = Math.Min(end, region.End);
            if (from >= to)
                continue;
            var first = region.GfnAt(from);
            var pages = (to - from) >> Page.Shift;
            // First the mark, then the bit: a standby in between sees a page to be zeroed, never one to be fetched.
            if (isUnmapped)
            {
                Counters.CountUnmapped(pages);
            }
            else
            {
                State.Removed.SetRange(first.Value, pages);
                Counters.CountRemoved(pages);
            }
            Counters.CountNoLongerMissing(State.Missing.ClearRange(first.Value, pages));
        }
    }
}
