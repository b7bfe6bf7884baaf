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
    private const int MaxWakes = 16;

    private readonly FutileFaults _futile;
    private byte* _zeros;
    private bool _hasNoZeropage;

    /// <summary>A placement for one VM; owns none of what it is given.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="counters">Where to count.</param>
    /// <param name="settings">How to work.</param>
    protected Placement(VmDescriptors vm, PagerCounters counters, PagerSettings settings)
    {
        (Uffd, Map, State, Counters) = (vm.Uffd, vm.Map, vm.State, counters);
        PagesPerGranule = Map.PagesPerGranule;
        ChunkPages = Math.Max(settings.ChunkPages, PagesPerGranule);
        Left = new LeftPages(Map.PageLimit);
        _futile = new FutileFaults(settings.StallPatienceNs / (PageFeed.ShortPollMs * 1_000_000L));
        _zeros = (byte*)NativeMemory.AlignedAlloc((nuint)(PagesPerGranule << Page.Shift), Page.Size);
        NativeMemory.Clear(_zeros, (nuint)(PagesPerGranule << Page.Shift));
    }

    /// <summary>4 KiB pages of what the kernel puts in place at once: 1, or 512 for huge pages.</summary>
    public ulong PagesPerGranule { get; }

    /// <summary>Pages to put in place around a page that is wanted.</summary>
    public ulong ChunkPages { get; }

    /// <summary>The same where a thread sleeps in the userfaultfd.</summary>
    public virtual ulong FaultPages => ChunkPages;

    /// <summary>How pages go in place that no fault of the userfaultfd asked for.</summary>
    public virtual PlaceWay UsualWay => PlaceWay.Userfaultfd;

    /// <summary>What the last <see cref="PlaceResult.Failed"/> or <see cref="PlaceResult.Again"/> was.</summary>
    public LinuxErrno Error { get; private set; }

    /// <summary>
    /// Is the machine short of what pages are put into, memory or huge pages? Until a page goes in place again.
    /// </summary>
    public bool IsShort { get; private set; }

    /// <summary>Missing pages that nobody could touch when they were to be put in place.</summary>
    public LeftPages Left { get; }

    /// <summary>The userfaultfd of the VM.</summary>
    protected IUserfaultfd Uffd { get; }

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
    public virtual PlaceResult EndBatch() => PlaceResult.Done;

    /// <summary>The piece at the front of a run of an image's pages that goes in place by one call.</summary>
    /// <param name="runs">The image.</param>
    /// <param name="first">The run's first page.</param>
    /// <param name="pages">Its length.</param>
    /// <param name="bytes">The piece's bytes, valid until the next call; null for zeros.</param>
    /// <returns>Pages in the piece.</returns>
    public virtual ulong NextPiece(ImageRuns runs, MemoryPage first, ulong pages, out byte* bytes) =>
        runs.Next(first, pages, out bytes);

    /// <summary>
    /// Puts a run of missing pages in place. A page counts as placed where this call placed it, or where it is shown to
    /// be there; all others stay missing.
    /// </summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many; whole granules.</param>
    /// <param name="bytes">Their content, one after another; null for zeros.</param>
    /// <param name="isDemand">Does somebody wait for one of them?</param>
    /// <param name="way">Where there are two ways: which.</param>
    public PlaceResult Place(MemoryPage first, ulong pages, byte* bytes, bool isDemand, PlaceWay way)
    {
        var max = ulong.MaxValue;
        var ended = PlaceResult.Done;
        while (pages > 0)
        {
            if (!Map.TryAtPage(first, out var region))
            {
                // Between two regions: no page of the guest.
                Advance(1, ref pages, ref first, ref bytes);
                continue;
            }
            var run = Math.Min(Math.Min(pages, max), region.Pages.End.Value - first.Value);
            var address = region.AddressOf(first);
            var result = PlaceRun(first, address, run, bytes, way);
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
                case LinuxErrno.EEXIST:
                    var there = SkipPresent(first, address, isDemand);
                    if (there is PlaceResult.Gone or PlaceResult.Failed)
                        return there;
                    // Further pages may find room, or be there.
                    ended = there == PlaceResult.Again ? there : ended;
                    Advance(PagesPerGranule, ref pages, ref first, ref bytes);
                    break;
                case LinuxErrno.ENOENT when run > PagesPerGranule:
                    // It reaches from one mapping into the next, or a part of it is not watched: page by page, or what
                    // is there would be left with what is not.
                    max = PagesPerGranule;
                    break;
                case LinuxErrno.ENOENT:
                    Leave(first, run);
                    if (isDemand && WakeWaiters(first, address) is var woken and not PlaceResult.Done)
                        return woken;
                    Advance(run, ref pages, ref first, ref bytes);
                    break;
                default:
                    return Stopped(result.Error);
            }
        }
        return ended;
    }

    /// <summary>
    /// A page that is not missing was touched: it was given back, or the touch came too late to be one.
    /// </summary>
    public virtual PlaceResult PlaceZero(MemoryPage page, in GuestRegion region)
    {
        var wasRemoved = State.Removed.IsSet(page.Value);
        var address = region.AddressOf(page);
        var result = Resolve(address, PagesPerGranule, null);
        if (result.IsComplete || (result.Error == LinuxErrno.EEXIST && PresenceOf(address) == PagePresence.Present))
        {
            if (wasRemoved && result.IsComplete)
                Counters.CountRemovedTouched();
            State.Removed.ClearRange(page.Value, PagesPerGranule);
        }
        return Ended(result.Error, page, address);
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

    /// <summary>
    /// A write to a page that the monitor has write-protected: lifts the protection and lets the writer go on. The
    /// messages of this descriptor come here, so that nobody else could do it.
    /// </summary>
    public PlaceResult LiftProtection(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        var error = Uffd.WriteProtect(address, PagesPerGranule << Page.Shift, isProtected: false);
        if (error == LinuxErrno.None)
            Counters.CountWriteProtected();
        return Ended(error, page, address);
    }

    /// <summary>A page that is in the page cache and not mapped was touched (a minor fault): maps it.</summary>
    public PlaceResult MapCached(MemoryPage page, in GuestRegion region)
    {
        var address = region.AddressOf(page);
        var error = Uffd.Continue(address, PagesPerGranule << Page.Shift).Error;
        if (error is LinuxErrno.None or LinuxErrno.EEXIST)
        {
            MarkPresent(page, PagesPerGranule);
            State.Removed.ClearRange(page.Value, PagesPerGranule);
        }
        // Not in the page cache any more: the touch comes again, as one of a page that is not there.
        return Ended(error == LinuxErrno.EFAULT ? LinuxErrno.ENOENT : error, page, address);
    }

    /// <summary>A page that was left is touched: it is to be brought like any missing page.</summary>
    /// <returns>Was it one?</returns>
    public bool TakeBack(MemoryPage page)
    {
        var back = Left.Remove(page, PagesPerGranule);
        if (back == 0)
            return false;
        Counters.CountMissing(back);
        return true;
    }

    /// <summary>Lets all that wait in a region touch their page again.</summary>
    public PlaceResult WakeAll(in GuestRegion region) => Wake(region.Start, region.Bytes);

    /// <summary>
    /// Releases all regions: from here on the kernel alone gives the guest what it gave back, which is zeros.
    /// </summary>
    public PlaceResult Release()
    {
        foreach (var region in Map.Regions)
        {
            if (Release(region.Start, region.Bytes) is var error and not LinuxErrno.None)
                return Stopped(error);
        }
        return PlaceResult.Done;
    }

    /// <summary>Is the memory of the monitor gone, whichever process it belonged to?</summary>
    public bool IsMemoryGone => Uffd.Probe(Map.Regions[0].Start, Map.Regions[0].Bytes) == LinuxErrno.ESRCH;

    /// <summary>The guest gave a range back: it reads as zeros, and its content is not wanted any more.</summary>
    public void Remove(ulong start, ulong end) => Forget(start, end, isUnmapped: false);

    /// <summary>The monitor unmapped a range: nobody can touch it.</summary>
    public void Unmap(ulong start, ulong end) => Forget(start, end, isUnmapped: true);

    /// <inheritdoc/>
    public virtual void Dispose()
    {
        NativeMemory.AlignedFree(_zeros);
        _zeros = null;
        Left.Dispose();
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
        switch (result.Error)
        {
            case LinuxErrno.EEXIST:
                // A marker of write protection is in the way of a zero page, though nothing is there. A copy goes over
                // it, and its EEXIST can be believed.
                var copied = CopyZeros(address, PagesPerGranule, modes);
                return copied.IsComplete && pages > PagesPerGranule
                    ? copied with
                    {
                        Error = LinuxErrno.EAGAIN,
                    }
                    : copied;
            case LinuxErrno.EINVAL:
                // Some kinds of memory have no zero page to map: they get a copy of one.
                _hasNoZeropage = true;
                return CopyZeros(address, pages, modes);
            default:
                return result;
        }
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
    protected PlaceResult Ended(LinuxErrno error, MemoryPage page, ulong address)
    {
        switch (error)
        {
            case LinuxErrno.None:
                _futile.Forget(page, PagesPerGranule);
                IsShort = false;
                return PlaceResult.Done;
            case LinuxErrno.EEXIST:
                Counters.CountEexist();
                Error = error;
                return PresenceOf(address) == PagePresence.Absent ? Short() : WakeWaiters(page, address);
            case LinuxErrno.ENOENT:
                Error = error;
                return WakeWaiters(page, address);
            default:
                return Stopped(error);
        }
    }

    /// <summary>Is a page there, for which the kernel answered EEXIST?</summary>
    protected virtual PagePresence PresenceOf(ulong address) => PagePresence.Present;

    /// <summary>Pages were put in place by a call of this pager.</summary>
    protected void MarkPlaced(MemoryPage first, ulong pages)
    {
        _futile.Forget(first, pages);
        IsShort = false;
        MarkPresent(first, pages);
    }

    // Pages are there: no longer missing, and all who have to know do.
    private void MarkPresent(MemoryPage first, ulong pages)
    {
        var left = Left.Remove(first, pages);
        Counters.CountNoLongerMissing(State.Missing.ClearRange(first.Value, pages) - left);
        OnPlaced(first, pages);
    }

    /// <summary>UFFDIO_WAKE of a range.</summary>
    protected PlaceResult Wake(ulong address, ulong bytes)
    {
        var error = Uffd.Wake(address, bytes);
        // Nobody else would wake them: it is tried again at once.
        for (var i = 1; i < MaxWakes && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR; i++)
            error = Uffd.Wake(address, bytes);
        if (error == LinuxErrno.None)
            return PlaceResult.Done;
        Error = error;
        return error == LinuxErrno.ESRCH ? PlaceResult.Gone : PlaceResult.Failed;
    }

    // Whoever waits for a page finds out by himself how it is with it; one who comes again and again is not served so
    // for ever.
    private PlaceResult WakeWaiters(MemoryPage page, ulong address)
    {
        switch (_futile.Count(page))
        {
            case FutileFaults.Answer.Never:
                return PlaceResult.Failed;
            case FutileFaults.Answer.Later:
                return Short();
            default:
                return Wake(address, PagesPerGranule << Page.Shift);
        }
    }

    private PlaceResult Short()
    {
        IsShort = true;
        return PlaceResult.Again;
    }

    // A call that did nothing, and why.
    private PlaceResult Stopped(LinuxErrno error)
    {
        Error = error;
        switch (error)
        {
            case LinuxErrno.EAGAIN:
            case LinuxErrno.EINTR:
                Counters.CountEagain();
                return PlaceResult.Again;
            case LinuxErrno.ENOMEM:
            case LinuxErrno.ENOSPC:
                return Short();
            case LinuxErrno.ESRCH:
                return PlaceResult.Gone;
            default:
                return PlaceResult.Failed;
        }
    }

    // EEXIST: in place, by somebody who was faster, or (huge pages) no room for it.
    private PlaceResult SkipPresent(MemoryPage page, ulong address, bool isDemand)
    {
        Counters.CountEexist();
        Error = LinuxErrno.EEXIST;
        switch (PresenceOf(address))
        {
            case PagePresence.Present:
                MarkPresent(page, PagesPerGranule);
                return isDemand ? Wake(address, PagesPerGranule << Page.Shift) : PlaceResult.Done;
            case PagePresence.Absent:
                return Short();
            default:
                // A thread that waits for it tells the truth when it is woken: it goes on, or faults again.
                return isDemand ? WakeWaiters(page, address) : Short();
        }
    }

    // Nobody can touch these now: not registered, or not mapped any more. They are not in place.
    private void Leave(MemoryPage first, ulong count)
    {
        Error = LinuxErrno.ENOENT;
        ulong left = 0;
        for (var page = first; page.Value < first.Value + count; page = page.Plus(1))
            left += State.Missing.IsSet(page.Value) ? Left.Add(page, 1) : 0;
        Counters.CountUnmapped(left);
        Counters.CountNoLongerMissing(left);
    }

    private LinuxErrno Release(ulong start, ulong bytes)
    {
        var error = Uffd.Unregister(start, bytes);
        for (var i = 1; i < MaxWakes && error is LinuxErrno.EAGAIN or LinuxErrno.EINTR or LinuxErrno.ENOMEM; i++)
        {
            // ENOMEM is its answer also where the memory is gone.
            if (Uffd.Probe(start, bytes) == LinuxErrno.ESRCH)
                return LinuxErrno.None;
            error = Uffd.Unregister(start, bytes);
        }
        if (error == LinuxErrno.ESRCH)
            return LinuxErrno.None;
        var granule = PagesPerGranule << Page.Shift;
        if (error != LinuxErrno.EINVAL)
            return error;
        // Nothing is mapped there, or something in it is of a kind that cannot be registered: what is left of it.
        if (bytes <= granule)
            return LinuxErrno.None;
        var half = bytes / 2 / granule * granule;
        var first = Release(start, half);
        return first == LinuxErrno.None ? Release(start + half, bytes - half) : first;
    }

    private void Forget(ulong start, ulong end, bool isUnmapped)
    {
        foreach (var region in Map.Regions)
        {
            var from = Math.Max(start, region.Start);
            var to = Math.Min(end, region.End);
            if (from < to)
                Forget(new MemoryPageRange(region.GfnAt(from), (to - from) >> Page.Shift), isUnmapped);
        }
    }

    private void Forget(MemoryPageRange range, bool isUnmapped)
    {
        if (isUnmapped)
            Counters.CountUnmapped(range.Count);
        else
            Counters.CountRemoved(range.Count);
        // What the kernel puts in place at once, it forgets at once: only granules that lie wholly inside.
        var granule = PagesPerGranule - 1;
        var first = Math.Min((range.Start.Value + granule) & ~granule, range.End.Value);
        var end = Math.Max(range.End.Value & ~granule, first);
        if (!isUnmapped)
            ForgetParts(range, new MemoryPageRange(new MemoryPage(first), end - first));
        if (first == end)
            return;
        // First the mark, then the bit: a standby in between sees a page to be zeroed, never one to be fetched.
        if (!isUnmapped)
            State.Removed.SetRange(first, end - first);
        var left = Left.Remove(new MemoryPage(first), end - first);
        Counters.CountNoLongerMissing(State.Missing.ClearRange(first, end - first) - left);
    }

    // Of a huge page that is there the kernel zeroes the part that is given back. Of one that is missing the part is
    // noted, and is zero when the page is put in place.
    private void ForgetParts(MemoryPageRange range, MemoryPageRange whole)
    {
        for (var page = range.Start; page.Value < range.End.Value; page = page.Plus(1))
        {
            if (page == whole.Start)
                page = whole.End;
            if (page.Value < range.End.Value && State.Missing.IsSet(page.Value))
                State.Removed.Set(page.Value);
        }
    }
}
