using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// What a memslot decides: KVM's half (the memslot's core with its fault path) and user space's half (fetch, put content
/// in place, clear the bit, run the vCPU again) for one slot. The only writer of the slot's bitmap and tables. A message
/// goes in, effects come out; no clock, no threads, nothing allocated a fault.
/// </summary>
/// <remarks>
/// Every waiter is a number: vCPUs from 0, accessors of the host's side from <c>vcpus</c> on. A vCPU that exited waits in
/// user space for its page; one that runs into a missing host mapping sleeps in userfaultfd, as accessors do.
/// Content that comes for a page whose bit is clear is dropped: the guest may have written the page by then.
/// </remarks>
public sealed partial class MemslotPager : IDisposable
{
    private readonly MemslotCore _core;
    private readonly UserfaultBitmap _bitmap;
    private readonly HostMapping _host;
    private readonly IGuestMemory _memory;
    private readonly PagerSettings _settings;
    private PageWaiters _exited;
    private readonly List<int> _heldBack = [];
    private PageClaims _claims;
    private readonly List<GfnRange> _pushed = [];
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
    /// <param name="bitmap">The slot's userfault bitmap, also user space's own record of what is missing; owned.</param>
    /// <param name="host">The host's mapping of guest memory; the VM's.</param>
    /// <param name="memory">Guest memory; the VM's.</param>
    /// <param name="settings">How faults reach user space.</param>
    public MemslotPager(
        MemslotCore core, UserfaultBitmap bitmap, HostMapping host, IGuestMemory memory, PagerSettings settings)
    {
        (_core, _bitmap, _host, _memory, _settings) = (core, bitmap, host, memory, settings);
        _exited = new PageWaiters(core.Slot.Range, settings.Vcpus);
        _sleeping = new PageWaiters(core.Slot.Range, settings.Vcpus);
        _accesses = new VcpuAccess[Math.Max(1, settings.Vcpus)];
        // Where content goes by a mapping of the VMM's own, nobody sees it before its bit is clear; UFFDIO_COPY shows it at once.
        _placesAhead = settings.Mode == FaultMode.Userfault || settings.Memory == MemoryKind.GuestMemfd;
        Missing = bitmap.Count();
        _claims = new PageClaims(core.Slot.Range, bitmap);
    }

    /// <summary>KVM's half.</summary>
    public MemslotCore Core => _core;

    /// <summary>The slot's frames.</summary>
    public GfnRange Range => _core.Slot.Range;

    /// <summary>The slot's pages of guest memory: the same for as long as it exists, wherever it moves.</summary>
    public GfnRange Pages => Range with { Start = ToMemory(Range.Start) };

    /// <summary>What is missing: one bit a page. Anybody may read it.</summary>
    public UserfaultBitmap Bitmap => _bitmap;

    /// <summary>How many pages are missing.</summary>
    public ulong Missing { get; private set; }

    /// <summary>How many wait, vCPUs and accessors.</summary>
    public int Waiting => _exited.Count + _sleeping.Count + _heldBack.Count;

    /// <summary>Must cached translations be flushed by every vCPU before held-back faults can go on?</summary>
    public bool NeedsFlush => !_core.UnflushedBreak.IsEmpty;

    /// <summary>A vCPU's access left the guest.</summary>
    /// <exception cref="InvalidOperationException">The page is not in this slot: the message went to the wrong one.</exception>
    public void OnFault(int vcpu, in VcpuAccess access, EffectBuffer effects)
    {
        if (!Range.Contains(access.Gfn))
            throw new InvalidOperationException($"{_core.Slot.Id} got a fault on {access.Gfn} outside of {Range}");
        // Reported again after a pause: it is known here and waits.
        if (_exited.IsWaiting(vcpu) || _sleeping.IsWaiting(vcpu) || _heldBack.Contains(vcpu)) return;
        RunFaultPath(vcpu, access, effects);
    }

    /// <summary>
    /// Pages' content has come to user space by way of vCPUs' exits, or ahead of need: it is put in place and the bits
    /// are cleared with release order; the vCPUs that exited for them run again. Mostly nobody sleeps on one in userfaultfd
    /// (UFFDIO_COPY_MODE_DONTWAKE); who does, since the page was asked for ahead of its touch, is woken. The content of a page
    /// that was in place already is dropped.
    /// </summary>
    public void OnPages(ReadOnlySpan<PageContent> pages, EffectBuffer effects)
    {
        // All content, then all bits: a bit's locked instruction waits for the stores before it, which is dear a page and cheap a batch.
        if (_placesAhead)
        {
            for (var i = 0; i < pages.Length; i++)
            {
                if (i + 1 < pages.Length) pages[i + 1].Expect();
                var gfn = ToGuest(pages[i].Gfn);
                if (!_bitmap.IsSet(Index(gfn))) continue;
                _host.Place(pages[i], _memory);
            }
        }

        foreach (ref readonly var page in pages) OnPage(page, effects);
    }

    private void OnPage(in PageContent content, EffectBuffer effects)
    {
        var gfn = ToGuest(content.Gfn);
        if (!_bitmap.IsSet(Index(gfn)))
        {
            _late++;
            Serve(gfn, effects);
            return;
        }

        var awaited = _exited.IsAwaited(gfn) || _sleeping.IsAwaited(gfn);
        Install(content);
        // DONTWAKE where nobody sleeps. Where somebody does, and where another resolved it first (EEXIST), wake.
        Wake(gfn, effects);
        ClearBit(gfn, awaited);
        Serve(gfn, effects);
    }

    /// <summary>Frames whose cached translations a fault made stale; empty where there are none.</summary>
    public GfnRange Flush { get; private set; }

    /// <summary>Takes <see cref="Flush"/>: the caller sees to it.</summary>
    public GfnRange TakeFlush()
    {
        var flush = Flush;
        Flush = default;
        return flush;
    }

    /// <summary>Every page that somebody waits for is asked for again: a fetcher was lost.</summary>
    public void FetchAgain(EffectBuffer effects)
    {
        foreach (var gfn in _exited.AwaitedPages()) effects.Fetch(ToMemory(gfn));
    }

    /// <summary>What was done so far.</summary>
    public SlotCounters Counters()
    {
        var table = _core.Table.Counters;
        return _counters with
        {
            Outcomes = Enum.GetValues<FaultKind>().Where(k => _outcomes[(int)k] != 0)
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

    /// <summary>Frees table and bitmap. No vCPU may be able to reach them any more.</summary>
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
            // Being deleted or moved: the access is made again when that is over, not over and over until then.
            HoldBack(vcpu, access);
            return;
        }

        var outcome = _core.Fault(access);
        _outcomes[(int)outcome.Kind]++;
        if (!outcome.Flush.IsEmpty) Flush = Flush.Cover(outcome.Flush);
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
        _push?.OnFault(access.Gfn);
        if (_exited.Add(access.Gfn, vcpu))
            AskFor(access.Gfn, effects);
        else
            _merged++;
    }

    // A page that was asked for ahead of need is on its way, or in the mailbox already: asking again would fetch it twice.
    private void AskFor(Gfn gfn, EffectBuffer effects)
    {
        if (_claims.IsOpen(gfn))
        {
            _claims.Claim(new GfnRange(gfn, 1));
            effects.Fetch(ToMemory(gfn));
        }
        else
        {
            effects.Promote(ToMemory(gfn));
        }
    }

    private void HoldBack(int vcpu, in VcpuAccess access)
    {
        Remember(vcpu, access);
        _heldBack.Add(vcpu);
    }

    // How content gets to its place depends on what backs the guest, as it does in a VMM.
    private Errno Install(in PageContent content)
    {
        if (_placesAhead) return _host.MarkPopulated(content.Gfn);
        // Under userfaultfd alone what is pushed ahead of need goes into the page cache and no further: the touch is
        // a minor fault then, which costs no fetch.
        if (_settings.Mode == FaultMode.Userfaultfd && _settings.Memory == MemoryKind.Shmem && !_sleeping.IsAwaited(ToGuest(content.Gfn)))
            return _host.Populate(content, _memory);
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
        // Release order: whoever sees the bit clear sees the content.
        if (!_memory.Publish(_bitmap, Index(gfn))) return;
        Missing--;
        if (awaited)
            _demandPlaced++;
        else
            _backgroundPlaced++;
        Cleared?.Add(Index(gfn));
    }

    /// <summary>Gets the index of every bit that is cleared; null where nobody has to be told.</summary>
    public ClearBatch? Cleared { get; set; }

    // Who exited for the page enters again: KVM would fault, find the bit clear, and map. It is mapped here, at once.
    private void Serve(Gfn gfn, EffectBuffer effects)
    {
        var last = PageWaiters.Begin;
        while (_exited.TryTake(gfn, ref last, out var vcpu)) RunFaultPath(vcpu, _accesses[vcpu], effects);
    }

    private void Remember(int vcpu, in VcpuAccess access)
    {
        if (vcpu >= _accesses.Length) Array.Resize(ref _accesses, Math.Max(vcpu + 1, _accesses.Length * 2));
        _accesses[vcpu] = access;
    }

    // The image, userfaultfd and content speak of pages of guest memory; KVM and vCPUs of gfns. The two differ where a slot
    // was moved: its memory stays where it is.
    private Gfn ToMemory(Gfn gfn) => _host.PageOf(_core.Slot.HvaOf(gfn));

    private Gfn ToGuest(Gfn page)
    {
        var gfn = Range.Start.Plus(page.PagesFrom(_host.PageOf(_core.Slot.UserspaceAddress)));
        return Range.Contains(gfn)
            ? gfn
            : throw new InvalidOperationException($"{_core.Slot.Id} got content of memory page 0x{page.Value:x}, which is not its own");
    }

    private ulong Index(Gfn gfn) => gfn.PagesFrom(Range.Start);
}
