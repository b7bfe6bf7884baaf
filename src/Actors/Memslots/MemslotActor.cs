using Akka.Actor;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// A memslot: the single writer of its userfault bitmap and its tables. What it decides is the pager's; this receives,
/// asks the pager, and performs its effects. The pager outlives a failure of this actor, so no page is forgotten: the VM
/// pauses and the actor goes on with the pager as it is.
/// </summary>
/// <remarks>
/// Faults come as many as the vCPUs made while the last ones were on their way, and those that are in the mailbox together
/// are fetched together: the first asks for a message to itself, which comes behind all that wait already.
/// </remarks>
public sealed class MemslotActor : UntypedActor
{
    private const ulong MostUntold = 4096;

    private readonly MemslotPager _pager;
    private readonly MemslotWiring _wiring;
    private readonly Mutation _mutation = Mutations.Current;
    private readonly EffectBuffer _effects = new();
    private readonly UffdQueues _uffd;
    private readonly SlotFlush _flush;
    private readonly List<Gfn> _wanted = new(64);
    private readonly List<int> _resumed = new(64);
    private readonly int _batch;
    private readonly List<IActorRef> _accessors = [];
    private readonly List<IActorRef> _readers = [];
    private readonly List<Gfn> _exists = [];
    private readonly ClearBatch? _clears;
    private IActorRef _changeAsker = ActorRefs.Nobody;
    private bool _isChanging;
    private bool _isInvalidating;
    private bool _workIsQueued;
    private bool _hasMoved;
    private readonly List<(IActorRef Asker, object Answer)> _afterFlush = [];
    private ulong _placedAtListener;
    private bool _hadTrouble;

    /// <summary>See <see cref="Props"/>.</summary>
    public MemslotActor(MemslotPager pager, MemslotWiring wiring)
    {
        (_pager, _wiring) = (pager, wiring);
        _batch = FaultGate.BatchFor(wiring.Vcpus.Count);
        _uffd = new UffdQueues(pager.Pages, wiring.UffdDescriptors);
        _flush = new SlotFlush(wiring.Vcpus.Count);
        // Survives this actor as the pager does: replicas count its batches.
        if (wiring.BroadcastsClears) pager.Cleared = _clears = pager.Cleared ?? new ClearBatch();
        _placedAtListener = pager.Missing;
    }

    /// <summary>A memslot.</summary>
    /// <param name="pager">What it owns; survives the actor.</param>
    /// <param name="wiring">Whom it talks to.</param>
    public static Props Props(MemslotPager pager, MemslotWiring wiring) =>
        Akka.Actor.Props.Create(() => new MemslotActor(pager, wiring));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        // An empty batch: others hear that the slot is there before its first bit is cleared.
        if (_clears is not null) SendClears();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case MemslotProtocol.MemoryFaults faults:
                OnFaults(faults.Faults.Span);
                break;
            case PagesFetched fetched:
                OnFetched(fetched.Batch);
                break;
            case MemslotProtocol.SendFetches:
                SendFetches();
                break;
            case MemslotProtocol.FlushDone done:
                _flush.Acknowledge(done.Vcpu, done.Generation);
                AfterFlush();
                break;
            case MemslotProtocol.Work:
                _workIsQueued = false;
                DoWork();
                break;
            case MemslotProtocol.SendClears:
                SendClears();
                break;
            case PagesNotSent skipped:
                OnNotSent(skipped.Pages);
                break;
            case FetchFailed failed:
                _hadTrouble = true;
                _wiring.Vm.Tell(new VmProtocol.SourceLost(failed.Reason, failed.Pages.Count));
                break;
            case MemslotProtocol.AskAgain:
                OnAskAgain();
                break;
            case MemslotProtocol.StartPush push:
                _pager.StartPush(push.Order, push.Recorded, push.WindowPages, push.ChunkPages);
                Push();
                break;
            default:
                if (!OnHostSide(message) && !OnChange(message)) Unhandled(message);
                break;
        }
    }

    private bool OnHostSide(object message)
    {
        switch (message)
        {
            case MemslotProtocol.HostAccess access:
                _pager.OnHostAccess(AccessorNumber(Sender), access.Gfn, access.IsWrite, _effects);
                Perform();
                return true;
            case MemslotProtocol.UffdRead read:
                _uffd.Read(read.Descriptor, ReaderNumber(Sender));
                Deliver(read.Descriptor);
                return true;
            case MemslotProtocol.UffdCopy copy:
                OnUffdCopy(copy.Batch);
                return true;
            case MemslotProtocol.UffdContinue minor:
                Resolve(minor.Pages);
                return true;
            case MemslotProtocol.UffdWake wake:
                foreach (var gfn in wake.Pages) _pager.OnUffdWake(gfn, _effects);
                Perform();
                return true;
            case MemslotProtocol.GetBitmap range:
                Sender.Tell(new BitmapRange(
                    _wiring.VmName, _pager.Core.Slot.Id, _clears?.Sequence ?? 0, range.FirstWord, _pager.BitmapWords(range.FirstWord, range.Words)));
                return true;
            case MemslotProtocol.GetReport:
                Sender.Tell(new SlotReport(_pager.Core.Slot.Id, _pager.Missing, _pager.Waiting, _pager.Counters()));
                return true;
            default:
                return false;
        }
    }

    private bool OnChange(object message)
    {
        switch (message)
        {
            case MemslotProtocol.ChangeFlags change:
                Begin(() => _pager.Core.ChangeFlags(change.Slot));
                return true;
            case MemslotProtocol.ZapAll:
                Begin(_pager.Core.BeginZap);
                return true;
            case MemslotProtocol.Invalidate:
                _isInvalidating = true;
                Begin(_pager.Core.Invalidate);
                return true;
            case MemslotProtocol.Activate activate:
                (_isInvalidating, _hasMoved) = (false, true);
                _pager.Activate(activate.Slot, _effects);
                Perform();
                return true;
            case MemslotProtocol.Retire:
                _pager.Evict(_effects);
                Perform();
                Context.Become(Gone);
                return true;
            case MemslotProtocol.ChangeAttributes attributes:
                Begin(() =>
                {
                    _pager.Core.BeginInvalidation(attributes.Range);
                    _pager.Core.Attributes = attributes.Attributes;
                    _pager.Core.EndInvalidation();
                });
                return true;
            case MemslotProtocol.GetDirtyLog:
                OnGetDirtyLog();
                return true;
            case MemslotProtocol.ClearDirtyLog clear:
                var errno = _pager.Core.ClearDirtyLog(clear.FirstPage, clear.Pages, [.. clear.Mask], out var flush);
                AnswerAfter(flush, new MemslotProtocol.DirtyLog(errno, []));
                return true;
            case MemslotProtocol.PreFault preFault:
                Sender.Tell(_pager.PreFault(preFault.Range));
                Perform();
                return true;
            default:
                return false;
        }
    }

    // The slot is deleted. Messages that were on their way are answered so that nobody waits; the tables stay until the VM
    // stops, since a vCPU may still be looking at them by an old list of slots.
    private void Gone(object message)
    {
        switch (message)
        {
            case MemslotProtocol.MemoryFaults faults:
                foreach (ref readonly var fault in faults.Faults.Span) _effects.Resume(fault.Vcpu);
                Perform();
                break;
            case PagesFetched fetched:
                fetched.Batch.Release();
                break;
            case MemslotProtocol.UffdCopy copy:
                copy.Batch.Release();
                break;
            case MemslotProtocol.HostAccess access:
                Sender.Tell(new MemslotProtocol.HostAccessDone(access.Gfn));
                break;
        }
    }

    private void OnFaults(ReadOnlySpan<MemslotProtocol.MemoryFault> faults)
    {
        foreach (ref readonly var fault in faults)
        {
            if (_hasMoved && !_pager.Range.Contains(fault.Access.Gfn))
                // It looked the slot up just before the move: it makes the access again, by the new list of slots.
                _effects.Resume(fault.Vcpu);
            else
                _pager.OnFault(fault.Vcpu, fault.Access, _effects);
        }

        Perform();
    }

    private void OnFetched(PageBatch batch)
    {
        var pages = batch.Pages;
        while (!pages.IsEmpty)
        {
            var some = Math.Min(_batch, pages.Length);
            _pager.OnPages(pages[..some], _effects);
            // While the rest is put in place, vCPUs run already.
            Perform();
            pages = pages[some..];
        }

        batch.Release();
        TellPlaced();
    }

    // A fetcher's node held them for in place. Those that are not are asked for as if somebody waited: no replica decides
    // for a second time.
    private void OnNotSent(IReadOnlyList<Gfn> pages)
    {
        var missing = pages.Where(_pager.IsMissing).ToList();
        if (missing.Count > 0) _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, PageRuns.Of(missing)));
        TellPlaced();
    }

    private void OnUffdCopy(PageBatch batch)
    {
        _exists.Clear();
        var pages = new Gfn[batch.Count];
        for (var i = 0; i < pages.Length; i++)
        {
            ref readonly var page = ref batch[i];
            pages[i] = page.Gfn;
            if (_pager.OnUffdCopy(page, _effects) == Errno.EEXIST) _exists.Add(page.Gfn);
        }

        batch.Release();
        Sender.Tell(new UffdReaderProtocol.Resolved(pages, [.. _exists]));
        Perform();
        TellPlaced();
    }

    private void Resolve(IReadOnlyList<Gfn> pages)
    {
        _exists.Clear();
        foreach (var gfn in pages)
        {
            if (_pager.OnUffdContinue(gfn, _effects) == Errno.EEXIST) _exists.Add(gfn);
        }

        Sender.Tell(new UffdReaderProtocol.Resolved(pages, [.. _exists]));
        Perform();
    }

    private void OnAskAgain()
    {
        _pager.FetchAgain(_effects);
        Perform();
        foreach (var reader in _readers) reader.Tell(MemslotProtocol.AskAgain.Instance);
        var pushes = _pager.PushesUnderWay();
        if (pushes.Count > 0) _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, pushes));
    }

    private void OnGetDirtyLog()
    {
        var words = new ulong[(_pager.Range.Count + 63) / 64];
        var errno = _pager.Core.GetDirtyLog(words, out var flush);
        AnswerAfter(flush, new MemslotProtocol.DirtyLog(errno, errno == Errno.None ? words : []));
    }

    // Until every vCPU has dropped its writable translations a write may go by unlogged: the caller hears nothing sooner.
    private void AnswerAfter(GfnRange flush, object answer)
    {
        if (_mutation == Mutation.AnswersBeforeFlush) Sender.Tell(answer);
        else _afterFlush.Add((Sender, answer));
        AskFlush(flush);
        if (!_flush.IsPending) AfterFlush();
    }

    private void Perform()
    {
        foreach (ref readonly var effect in _effects.Effects)
        {
            switch (effect.Kind)
            {
                case EffectKind.Resume:
                    _resumed.Add(effect.Waiter);
                    break;
                case EffectKind.Fetch:
                    if (_wanted.Count == 0) Self.Tell(MemslotProtocol.SendFetches.Instance, ActorRefs.NoSender);
                    _wanted.Add(effect.Gfn);
                    if (_wanted.Count >= _batch) SendFetches();
                    break;
                case EffectKind.Promote:
                    _wiring.Fetchers.Tell(new FetcherProtocol.Promote(effect.Gfn));
                    break;
                case EffectKind.Skip:
                    _wiring.Vcpus[effect.Waiter].Tell(new VcpuProtocol.Skip(effect.Gfn, effect.Why));
                    break;
                case EffectKind.Fail:
                    _wiring.Vcpus[effect.Waiter].Tell(new VcpuProtocol.Fail(effect.Gfn, effect.Why));
                    break;
                case EffectKind.UffdEvent:
                    var uffd = new UffdEvent(effect.Gfn, effect.IsMinor, effect.IsWrite);
                    _uffd.Add(uffd);
                    if (_wiring.TellsWanted && !uffd.IsMinor) _wiring.Listener.Tell(new VmProtocol.PagesWanted(_pager.Core.Slot.Id, [effect.Gfn]));
                    Deliver(_uffd.DescriptorOf(effect.Gfn));
                    break;
                case EffectKind.WakeAccessor:
                    _accessors[effect.Waiter - _wiring.Vcpus.Count].Tell(new MemslotProtocol.HostAccessDone(effect.Gfn));
                    break;
                default:
                    throw new InvalidOperationException($"no such effect: {effect.Kind}");
            }
        }

        _effects.Clear();
        if (_resumed.Count > 0) Resume();
        if (!_pager.Flush.IsEmpty) AskFlush(_pager.TakeFlush());
    }

    private void Resume()
    {
        if (_resumed.Count == 1)
            _wiring.Vcpus[_resumed[0]].Tell(VcpuProtocol.Resume.Instance, ActorRefs.NoSender);
        else
            _wiring.Gate.Tell(new VcpuProtocol.ResumeAll(_resumed.ToArray()), ActorRefs.NoSender);
        _resumed.Clear();
    }

    private void Deliver(int descriptor)
    {
        while (_uffd.TryDeliver(descriptor, out var reader, out var events))
            _readers[reader].Tell(new UffdReaderProtocol.Events(events));
    }

    private void SendFetches()
    {
        if (_wanted.Count == 0) return;
        _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, PageRuns.Of(_wanted)));
        if (_wiring.TellsWanted) _wiring.Listener.Tell(new VmProtocol.PagesWanted(_pager.Core.Slot.Id, [.. _wanted]));
        if (_wiring.LocalityPages > 0) FetchAround();
        _wanted.Clear();
    }

    private void FetchAround()
    {
        var around = _wanted.Select(p => _pager.WindowAround(p, (ulong)_wiring.LocalityPages)).Where(r => !r.IsEmpty).ToList();
        if (around.Count > 0) _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, around));
    }

    private void Push()
    {
        List<GfnRange>? ranges = null;
        while (_pager.TryPush(out var range)) (ranges ??= []).Add(range);
        if (ranges is not null) _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, ranges));
    }

    private void TellPlaced()
    {
        _pager.SettlePushes();
        Push();
        // The listener hears of the last page, of the first after trouble, and now and then between: a message a batch
        // would wake another thread for every few faults.
        var placed = _placedAtListener - _pager.Missing;
        if (placed >= MostUntold || (placed > 0 && (_pager.Missing == 0 || _hadTrouble)))
        {
            _hadTrouble = false;
            _placedAtListener = _pager.Missing;
            _wiring.Listener.Tell(new VmProtocol.PagesPlaced(_pager.Core.Slot.Id, _pager.Missing));
        }

        if (_clears is null || _clears.Words == 0) return;
        if (_clears.IsFull || _pager.Missing == 0)
            SendClears();
        else if (_clears.MarkQueued())
            Self.Tell(MemslotProtocol.SendClears.Instance, ActorRefs.NoSender);
    }

    private void SendClears()
    {
        if (_clears is null || (_clears.Words == 0 && _clears.Sequence > 0)) return;
        var words = _clears.Take();
        var clears = new BitsCleared(_wiring.VmName, _pager.Core.Slot.Id, _pager.Pages, _clears.Sequence, words);
        _wiring.Fetchers.Tell(new FetcherProtocol.BroadcastClears(clears));
    }

    // A change runs in bounded batches, with the mailbox served between them and a shootdown behind each that needs one.
    private void Begin(Action change)
    {
        if (_isChanging) throw new InvalidOperationException($"{_pager.Core.Slot.Id} is changed while it changes");
        _isChanging = true;
        _changeAsker = Sender;
        change();
        DoWork();
    }

    private void DoWork()
    {
        if (!_isChanging || _flush.IsPending) return;
        if (!_pager.Core.HasWork)
        {
            EndChange();
            return;
        }

        var step = _pager.Core.Work(_wiring.WorkBudget);
        if (!step.Flush.IsEmpty) AskFlush(step.Flush);
        if (_flush.IsPending || _workIsQueued) return;
        _workIsQueued = true;
        Self.Tell(MemslotProtocol.Work.Instance, ActorRefs.NoSender);
    }

    private void EndChange()
    {
        _isChanging = false;
        if (!_isInvalidating)
        {
            _pager.ReleaseHeldBack(_effects);
            Perform();
        }

        _changeAsker.Tell(new MemslotProtocol.SlotChanged(_pager.Core.Slot.Id));
        _changeAsker = ActorRefs.Nobody;
    }

    private void AskFlush(GfnRange range)
    {
        if (range.IsEmpty) return;
        _pager.CountFlush();
        var generation = _flush.Request(range);
        for (var vcpu = 0; vcpu < _wiring.Vcpus.Count; vcpu++)
        {
            if (_mutation == Mutation.ShootdownSkipsVcpu && vcpu == 1) _flush.Acknowledge(vcpu, generation);
            else if (_flush.Owes(vcpu, generation)) _wiring.Vcpus[vcpu].Tell(new VcpuProtocol.FlushTlb(generation, range));
        }

        if (!_flush.IsPending) AfterFlush();
    }

    private void AfterFlush()
    {
        if (_flush.IsPending) return;
        foreach (var (asker, answer) in _afterFlush) asker.Tell(answer);
        _afterFlush.Clear();
        if (_pager.NeedsFlush)
        {
            _pager.Core.CompleteFlush();
            if (!_isInvalidating) _pager.ReleaseHeldBack(_effects);
            Perform();
        }

        if (_isChanging && !_workIsQueued)
        {
            _workIsQueued = true;
            Self.Tell(MemslotProtocol.Work.Instance, ActorRefs.NoSender);
        }
    }

    private int AccessorNumber(IActorRef accessor)
    {
        // An accessor sleeps on one page at a time, as a thread does, so its reference is its number.
        var index = _accessors.IndexOf(accessor);
        if (index >= 0) return _wiring.Vcpus.Count + index;
        _accessors.Add(accessor);
        return _wiring.Vcpus.Count + _accessors.Count - 1;
    }

    private int ReaderNumber(IActorRef reader)
    {
        var index = _readers.IndexOf(reader);
        if (index >= 0) return index;
        _readers.Add(reader);
        return _readers.Count - 1;
    }
}
