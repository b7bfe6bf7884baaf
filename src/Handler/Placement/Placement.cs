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
internal abstract unsafe partial class Placement : IDisposable
{
    /// <summary>Poll timeout, in ms, while there is no memory for pages.</summary>
    public const int ShortPollMs = 20;

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
        Left = new LeftPages(Map.PageLimit, counters);
        _futile = new FutileFaults(settings.StallPatienceNs / (ShortPollMs * 1_000_000L));
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

    /// <summary>What the last <see cref="PlaceResult.Failed"/> or <see cref="PlaceResult.Again"/> was.</summary>
    public LinuxErrno Error { get; private set; }

    /// <summary>
    /// Is the machine short of what pages are put into, memory or huge pages? Until a page goes in place again.
    /// </summary>
    public bool IsShort { get; private set; }

    /// <summary>Missing pages that nobody could touch when they were to be put in place.</summary>
    public LeftPages Left { get; }

    /// <summary>
    /// A page of the page cache was touched that is not mapped (a minor fault): is what the page cache holds its
    /// content?
    /// </summary>
    public virtual bool IsInPlaceIfCached(MemoryPage page) => true;

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
        if (vm.File is not null)
            return new FilePlacement(vm, vm.File, counters, settings);
        if (vm.Memfd is null)
            return isHuge ? new HugePlacement(vm, counters, settings) : new CopyPlacement(vm, counters, settings);
        return isHuge
            ? throw new ProtocolException("a guest_memfd of huge pages cannot be served: use pages of 4 KiB")
            : new GuestMemfdPlacement(vm, vm.Memfd, counters, settings);
    }

    /// <summary>Starts what runs beside the pager's thread: once, when this object is whole.</summary>
    public virtual void Start() { }

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
                if (Show(first, address, done) is var shown and not PlaceResult.Done)
                    return shown;
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
                    if (isDemand && WakeWaiters(first, address, run) is var woken and not PlaceResult.Done)
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

    /// <summary>Pages are in place, and their bits are cleared: maps them, where putting them there did not.</summary>
    protected virtual PlaceResult Show(MemoryPage first, ulong address, ulong pages) => PlaceResult.Done;

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
}
