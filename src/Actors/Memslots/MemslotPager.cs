using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// The decisions of a memslot: KVM's half (the memslot's core with its fault path) and user space's half (fetch, put
/// content in place, clear the bit, resume the vCPU) for one slot. The only writer of the slot's bitmap and tables.
/// Messages go in, effects come out; no clock, no threads, and nothing is allocated per fault.
/// </summary>
/// <remarks>
/// Every waiter is a number: vCPUs from 0, accessors on the host's side from <c>vcpus</c> on. A vCPU that exited waits
/// in user space for its page; one that hits a missing host mapping sleeps in userfaultfd, as accessors do. Content
/// that arrives for a page whose bit is clear is dropped: the guest may have written the page by then.
/// </remarks>
public sealed partial class MemslotPager : IDisposable
{
    private readonly MemslotCore _core;
    private readonly UserfaultBitmap _bitmap;
    private readonly HostMapping _host;
    private readonly IGuestMemory _memory;
    private readonly MemslotPagerSettings _settings;
    private PageWaiters _exited;
    private readonly List<int> _heldBack = [];
    private PageClaims _claims;
    private readonly List<MemoryPageRange> _pushed = [];
    private Func<PageClaims, PushOrder>? _makePush;
    private PushOrder? _push;
    private ulong _pushedPages;
    private ulong _pushWindow;
    private ulong _pushChunk;
    private readonly bool _placesAhead;
    private readonly long[] _outcomes = new long[Enum.GetValues<FaultKind>().Length];
    private VcpuAccess[] _accesses;
    private SlotCounters _counters = new();
    private long _userfaultExits;
    private long _merged;
    private long _demandPlaced;
    private long _backgroundPlaced;
    private long _late;

    /// <summary>The pager of a slot.</summary>
    /// <param name="core">KVM's half; the pager owns it.</param>
    /// <param name="bitmap">The slot's userfault bitmap, which is also user space's own record of missing pages;
    /// owned.</param>
    /// <param name="host">The host's mapping of guest memory; the VM's.</param>
    /// <param name="memory">Guest memory; the VM's.</param>
    /// <param name="settings">How faults reach user space.</param>
    public MemslotPager(
        MemslotCore core,
        UserfaultBitmap bitmap,
        HostMapping host,
        IGuestMemory memory,
        MemslotPagerSettings settings
    )
    {
        (_core, _bitmap, _host, _memory, _settings) = (core, bitmap, host, memory, settings);
        _exited = new PageWaiters(core.Slot.Range, settings.Vcpus);
        _sleeping = new PageWaiters(core.Slot.Range, settings.Vcpus);
        _accesses = new VcpuAccess[Math.Max(1, settings.Vcpus)];
        // Content that is placed through a mapping of the VMM's own is visible to no vCPU before its bit is clear;
        // UFFDIO_COPY makes it visible at once.
        _placesAhead = settings.Mode == FaultMode.Userfault || settings.Memory == MemoryKind.GuestMemfd;
        Missing = bitmap.Count();
        _claims = new PageClaims(Pages, bitmap);
    }

    /// <summary>KVM's half.</summary>
    public MemslotCore Core => _core;

    /// <summary>The slot's frames.</summary>
    public GfnRange Range => _core.Slot.Range;

    /// <summary>The slot's pages of guest memory. They do not change when the slot is moved.</summary>
    public MemoryPageRange Pages => new(ToMemory(Range.Start), Range.Count);

    /// <summary>The missing pages, one bit per page. Any thread may read it.</summary>
    public UserfaultBitmap Bitmap => _bitmap;

    /// <summary>Number of missing pages.</summary>
    public ulong Missing { get; private set; }

    /// <summary>Number of waiters: vCPUs and accessors.</summary>
    public int Waiting => _exited.Count + _sleeping.Count + _heldBack.Count;

    /// <summary>Must every vCPU flush its cached translations before held-back faults can continue?</summary>
    public bool NeedsFlush => !_core.UnflushedBreak.IsEmpty;

    /// <summary>A vCPU's access left the guest.</summary>
    /// <exception cref="InvalidOperationException">The page is not in this slot: the message went to the wrong
    /// slot.</exception>
    public void OnFault(int vcpu, in VcpuAccess access, EffectBuffer effects)
    {
        if (!Range.Contains(access.Gfn))
            throw new InvalidOperationException($"{_core.Slot.Id} got a fault on {access.Gfn} outside of {Range}");
        // Reported a second time after a pause: it is already waiting here.
        if (_exited.IsWaiting(vcpu) || _sleeping.IsWaiting(vcpu) || _heldBack.Contains(vcpu))
            return;
        RunFaultPath(vcpu, access, effects);
    }

    /// <summary>
    /// Content has arrived, for vCPUs that exited or ahead of need. It is put in place, the bits are cleared with
    /// release order, and the vCPUs that exited for these pages are resumed. Usually no waiter sleeps on such a page in
    /// userfaultfd (UFFDIO_COPY_MODE_DONTWAKE); one that does, because the page was requested before it was touched, is
    /// woken. Content for a page that is already in place is dropped.
    /// </summary>
    public void OnPages(ReadOnlySpan<PageContent> pages, EffectBuffer effects)
    {
        // All content first, then all bits: the locked instruction that clears a bit waits for all stores before it,
        // which is expensive per page and cheap per batch.
        if (_placesAhead)
        {
            for (var i = 0; i < pages.Length; i++)
            {
                if (i + 1 < pages.Length)
                    pages[i + 1].Expect();
                var gfn = ToGuest(pages[i].Page);
                if (!_bitmap.IsSet(Index(gfn)))
                    continue;
                _host.Place(pages[i], _memory);
            }
        }

        foreach (ref readonly var page in pages)
            OnPage(page, effects);
    }

    private void OnPage(in PageContent content, EffectBuffer effects)
    {
        var gfn = ToGuest(content.Page);
        if (!_bitmap.IsSet(Index(gfn)))
        {
            _late++;
            Serve(gfn, effects);
            return;
        }

        var awaited = _exited.IsAwaited(gfn) || _sleeping.IsAwaited(gfn);
        Install(content);
        // DONTWAKE if there is no sleeper. If there is one, or if the page was resolved already (EEXIST), wake it.
        Wake(gfn, effects);
        ClearBit(gfn, awaited);
        Serve(gfn, effects);
    }

    /// <summary>Frames whose cached translations became stale through faults; empty if there are none.</summary>
    public GfnRange Flush { get; private set; }

    /// <summary>Takes <see cref="Flush"/>; the caller performs it.</summary>
    public GfnRange TakeFlush()
    {
        var flush = Flush;
        Flush = default;
        return flush;
    }

    /// <summary>Requests every page that a vCPU exited for again: a fetcher was lost.</summary>
    public void FetchAgain(EffectBuffer effects)
    {
        foreach (var gfn in _exited.AwaitedPages())
            effects.Fetch(ToMemory(gfn));
    }

    /// <summary>Counters since the start.</summary>
    public SlotCounters Counters()
    {
        var table = _core.Table.Counters;
        return _counters with
        {
            Outcomes = Enum.GetValues<FaultKind>()
                .Where(k => _outcomes[(int)k] != 0)
                .ToDictionary(k => k.ToString(), k => _outcomes[(int)k]),
            UserfaultExits = _userfaultExits,
            Merged = _merged,
            DemandPlaced = _demandPlaced,
            BackgroundPlaced = _backgroundPlaced,
            LateDropped = _late,
            Leaves4K = table.Leaves4K,
            Leaves2M = table.Leaves2M,
            Leaves1G = table.Leaves1G,
            TableBytes = table.TableBytes,
        };
    }

    /// <summary>Counts a TLB shootdown.</summary>
    public void CountFlush() => _counters = _counters with { Flushes = _counters.Flushes + 1 };

    /// <summary>Frees the tables and the bitmap. No vCPU may be able to reach them any more.</summary>
    public void Dispose()
    {
        _core.Dispose();
        _claims.Dispose();
        _exited.Dispose();
        _sleeping.Dispose();
        _bitmap.Dispose();
    }

    private void RunFaultPath(int vcpu, in VcpuAccess access, EffectBuffer effects)
    {
        if (_core.Slot.IsInvalid)
        {
            // The slot is being deleted or moved: the access is repeated once that is over, rather than spinning until
            // then.
            HoldBack(vcpu, access);
            return;
        }

        var outcome = _core.Fault(access);
        _outcomes[(int)outcome.Kind]++;
        if (!outcome.Flush.IsEmpty)
            Flush = Flush.Cover(outcome.Flush);
        switch (outcome.Kind)
        {
            case FaultKind.Mapped or FaultKind.Spurious or FaultKind.Retry or FaultKind.SignalPending:
                effects.Resume(vcpu);
                break;
            case FaultKind.FlushFirst:
                HoldBack(vcpu, access);
                break;
            case FaultKind.MemoryFaultExit when outcome.IsUserfaultExit:
                WaitForPage(vcpu, access, effects);
                break;
            case FaultKind.BlockedInUserfaultfd:
                Sleep(vcpu, access, effects);
                break;
            case FaultKind.Mmio or FaultKind.GuestAbort or FaultKind.Poisoned:
                effects.Skip(vcpu, access.Gfn, outcome.Kind);
                break;
            default:
                effects.Fail(vcpu, access.Gfn, outcome.Kind);
                break;
        }
    }

    private void WaitForPage(int vcpu, in VcpuAccess access, EffectBuffer effects)
    {
        _userfaultExits++;
        Remember(vcpu, access);
        _push?.OnFault(ToMemory(access.Gfn));
        if (_exited.Add(access.Gfn, vcpu))
            AskFor(access.Gfn, effects);
        else
            _merged++;
    }

    // A page requested ahead of need is in flight, or already in the mailbox: a second request would fetch it twice.
    private void AskFor(Gfn gfn, EffectBuffer effects)
    {
        var page = ToMemory(gfn);
        if (_claims.IsOpen(page))
        {
            _claims.Claim(new MemoryPageRange(page, 1));
            effects.Fetch(page);
        }
        else
        {
            effects.Promote(page);
        }
    }

    private void HoldBack(int vcpu, in VcpuAccess access)
    {
        Remember(vcpu, access);
        _heldBack.Add(vcpu);
    }

    // As in a VMM, the way to put content in place depends on the backing of guest memory.
    private Errno Install(in PageContent content)
    {
        if (_placesAhead)
            return _host.MarkPopulated(content.Page);
        // Under userfaultfd alone, a page pushed ahead of need goes into the page cache only: the touch is then a minor
        // fault, which needs no fetch.
        if (
            _settings.Mode == FaultMode.Userfaultfd
            && _settings.Memory == MemoryKind.Shmem
            && !_sleeping.IsAwaited(ToGuest(content.Page))
        )
        {
            return _host.Populate(content, _memory);
        }

        var errno = _settings.Memory == MemoryKind.Shmem ? PopulateAndContinue(content) : _host.Copy(content, _memory);
        Count(errno);
        return errno;
    }

    private void Count(Errno errno)
    {
        if (errno == Errno.None)
            _counters = _counters with { UffdResolves = _counters.UffdResolves + 1 };
        else if (errno == Errno.EEXIST)
            _counters = _counters with { UffdEexist = _counters.UffdEexist + 1 };
    }

    private void ClearBit(Gfn gfn, bool awaited)
    {
        // Release order: a thread that sees the bit clear also sees the content.
        if (!_memory.Publish(_bitmap, Index(gfn)))
            return;
        Missing--;
        if (awaited)
            _demandPlaced++;
        else
            _backgroundPlaced++;
        Cleared?.Add(Index(gfn));
    }

    /// <summary>Receives the index of every bit that is cleared; null if there are no replicas.</summary>
    public ClearBatch? Cleared { get; set; }

    // The vCPUs that exited for the page re-enter: KVM would fault, find the bit clear, and map the page. It is mapped
    // here, at once.
    private void Serve(Gfn gfn, EffectBuffer effects)
    {
        var last = PageWaiters.Begin;
        while (_exited.TryTake(gfn, ref last, out var vcpu))
            RunFaultPath(vcpu, _accesses[vcpu], effects);
    }

    private void Remember(int vcpu, in VcpuAccess access)
    {
        if (vcpu >= _accesses.Length)
            Array.Resize(ref _accesses, Math.Max(vcpu + 1, _accesses.Length * 2));
        _accesses[vcpu] = access;
    }

    // The image, userfaultfd and content use pages of guest memory; KVM and vCPUs use gfns. The two differ after a slot
    // was moved: its memory stays where it is.
    private MemoryPage ToMemory(Gfn gfn) => _host.PageOf(_core.Slot.HvaOf(gfn));

    private Gfn ToGuest(MemoryPage page)
    {
        var gfn = Range.Start.Plus(page.PagesFrom(_host.PageOf(_core.Slot.UserspaceAddress)));
        return Range.Contains(gfn)
            ? gfn
            : throw new InvalidOperationException(
                $"{_core.Slot.Id} got content of memory page 0x{page.Value:x}, which is not its own"
            );
    }

    private ulong Index(Gfn gfn) => gfn.PagesFrom(Range.Start);

    private ulong Index(MemoryPage page) => page.PagesFrom(Pages.Start);
}
