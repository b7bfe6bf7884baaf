using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// What a pager and its page feed share: the placement of the VM, the faults that wait, and how serving ended. Pages
/// that are put in place here end the waits for them, answer the monitor's requests and are recorded. Owned by the
/// pager's thread; allocates nothing after construction.
/// </summary>
internal sealed unsafe class PageDelivery : IDisposable
{
    private const long ShortageQuietNs = 10_000_000_000;

    private readonly MonitorSide _monitor;
    private readonly TimeProvider _time;
    private bool _isShortageTold;
    private long? _shortageToldNs;
    private readonly WorkingSetRecorder? _recorder;

    /// <summary>A delivery to one VM; owns none of what it is given.</summary>
    /// <param name="vm">The VM.</param>
    /// <param name="settings">How to work.</param>
    /// <param name="monitor">Its monitor.</param>
    /// <param name="recorder">Notes the pages that were waited for, or null.</param>
    public PageDelivery(VmDescriptors vm, PagerSettings settings, MonitorSide monitor, WorkingSetRecorder? recorder)
    {
        (Settings, Map, Missing, _monitor, _recorder) = (settings, vm.Map, vm.State.Missing, monitor, recorder);
        _time = settings.Time;
        Placement = Placement.Of(vm, Counters, settings);
        Placement.Start();
        Claims = new PageClaims(new MemoryPageRange(new MemoryPage(0), Map.PageLimit), Missing);
        Deferred = new DeferredFaults(Counters);
        IsInPlace = offset => !Missing.IsSet(offset >> Page.Shift);
        Counters.SetMissing(Missing.Count());
    }

    /// <summary>The clock of waits, in ns.</summary>
    public long NowNs => _time.GetTimestamp();

    /// <summary>How to work.</summary>
    public PagerSettings Settings { get; }

    /// <summary>The VM's regions.</summary>
    public RegionMap Map { get; }

    /// <summary>Pages whose content is not in place.</summary>
    public UserfaultBitmap Missing { get; }

    /// <summary>Puts pages in place.</summary>
    public Placement Placement { get; }

    /// <summary>Which missing pages are already being brought.</summary>
    public PageClaims Claims { get; }

    /// <summary>Faults that wait for their page.</summary>
    public PendingFaults Faults { get; } = new();

    /// <summary>Faults that met a changing address space.</summary>
    public DeferredFaults Deferred { get; }

    /// <summary>What was done so far.</summary>
    public PagerCounters Counters { get; } = new();

    /// <summary>Is the page at this offset of the image in place?</summary>
    public Func<ulong, bool> IsInPlace { get; }

    /// <summary>How serving ended; <see cref="PagerEnd.None"/> as long as it goes on.</summary>
    public PagerEnd End { get; private set; }

    /// <summary>Why it could not go on; null unless it failed.</summary>
    public string? Reason { get; private set; }

    /// <summary>Is told of what happens to the VM while it is served. Called on the pager's thread.</summary>
    public Action<PagerNotice, string> Notice { get; set; } = static (_, _) => { };

    /// <summary>How long the pager may sleep at most, in ms, while pages have to wait.</summary>
    public int StallPollMs => Placement.IsShort ? Placement.ShortPollMs : PageFeed.ChangingPollMs;

    /// <summary>
    /// The feed ends the waits for what is put in place itself, when it has woken those who wait.
    /// </summary>
    public bool IsBatch { get; set; }

    /// <summary>Puts a run of missing pages in place, and tells all who have to know.</summary>
    /// <param name="first">The first page.</param>
    /// <param name="pages">How many.</param>
    /// <param name="bytes">Their content, one after another; null for zeros.</param>
    /// <param name="isDemand">Does somebody wait for one of them?</param>
    /// <param name="way">By which way.</param>
    public PlaceResult Put(MemoryPage first, ulong pages, byte* bytes, bool isDemand, PlaceWay way)
    {
        var result = Placement.Place(first, pages, bytes, isDemand, way);
        // Of pages that did not all go in place, too: those that did are not put again.
        if (_monitor.HasRequests)
            _monitor.Answer(IsInPlace);
        if (result != PlaceResult.Done || !isDemand)
            return result;
        if (!IsBatch)
            Faults.End(first, pages, NowNs);
        Record(first, pages);
        return result;
    }

    /// <summary>Notes pages that were waited for, where that is wanted.</summary>
    public void Record(MemoryPage first, ulong pages)
    {
        for (ulong i = 0; i < pages && _recorder is not null; i++)
            _recorder.Touch(first.Plus(i));
    }

    /// <summary>
    /// What was brought is no longer on its way. Pages that nobody can touch are not offered again by themselves.
    /// </summary>
    public void Release(MemoryPageRange pages)
    {
        Claims.Release(pages);
        if (Placement.Left.IsEmpty)
            return;
        for (var page = pages.Start; page.Value < pages.End.Value; page = page.Plus(1))
        {
            if (Placement.Left.Has(page))
                Claims.Claim(new MemoryPageRange(page, 1));
        }
    }

    /// <summary>A page is touched: if it was left because nobody could touch it, it is to be brought now.</summary>
    public void TakeBack(MemoryPage page)
    {
        if (!Placement.Left.IsEmpty && Placement.TakeBack(page))
            Claims.Release(new MemoryPageRange(page, Placement.PagesPerGranule));
    }

    /// <summary>Every page that was left is tried once more.</summary>
    public void TakeBackAll()
    {
        foreach (var region in Map.Regions)
        {
            for (var page = region.Pages.Start; page.Value < region.Pages.End.Value; )
            {
                if (Placement.Left.IsEmpty)
                    return;
                TakeBack(page);
                page = page.Plus(Placement.PagesPerGranule);
            }
        }
    }

    /// <summary>
    /// Logs once that memory is short, and once that it is not any more; at most every 10 s.
    /// </summary>
    public void LookForShortage()
    {
        if (Placement.IsShort == _isShortageTold)
            return;
        if (Placement.IsShort)
        {
            // Some pages find room while others do not: that is one shortage, and not one per page.
            var now = NowNs;
            if (_shortageToldNs is { } told && now - told < ShortageQuietNs)
                return;
            (_isShortageTold, _shortageToldNs) = (true, now);
            var why = Placement.Error switch
            {
                LinuxErrno.EEXIST when Placement.PagesPerGranule > 1 =>
                    "no huge page is free for its memory: raise vm.nr_hugepages",
                LinuxErrno.EEXIST or LinuxErrno.ENOENT =>
                    $"a page faults again and again for which the kernel answers {Placement.Error}",
                var error => $"there is no memory for its pages ({error})",
            };
            Notice(PagerNotice.MemoryShort, $"{why}; its faults wait");
        }
        else
        {
            _isShortageTold = false;
            Notice(PagerNotice.MemoryBack, "there is memory for its pages again");
        }
    }

    /// <summary>A fault has waited too long for its page to be put in place.</summary>
    public void FailStalled(ulong address) => Fail($"the fault at 0x{address:x} has waited {Patience}: {Why}");

    /// <summary>The last pages have waited too long to be put in place.</summary>
    public void FailStalled() => Fail($"{Counters.MissingPages} pages have waited {Patience}: {Why}");

    /// <summary>Takes a result to where the loop sees it; true where the pages are in place.</summary>
    public bool Settle(PlaceResult result)
    {
        if (result == PlaceResult.Gone)
            End = PagerEnd.MonitorGone;
        if (result == PlaceResult.Failed)
            Fail(Why);
        return result == PlaceResult.Done;
    }

    /// <summary>The VM cannot be served any more.</summary>
    public PagerEnd Fail(string reason)
    {
        Reason = reason;
        return End = PagerEnd.Failed;
    }

    private string Patience => $"{Settings.StallPatienceNs / 1_000_000_000.0:0.#} s";

    private string Why =>
        Placement.Error switch
        {
            LinuxErrno.EFAULT => "EFAULT: the image cannot be read; was its file cut short?",
            LinuxErrno.EEXIST => "EEXIST: a page is said to be there and faults, or no huge page is free for it",
            LinuxErrno.ENOENT => "ENOENT: a page faults that is not mapped or not registered",
            var error => $"pages cannot be put in place: {error}",
        };

    /// <inheritdoc/>
    public void Dispose()
    {
        Placement.Dispose();
        Claims.Dispose();
    }
}
