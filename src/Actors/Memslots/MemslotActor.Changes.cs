using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

// Changes of the slot: flags, zaps, moves, attributes, the dirty log; and the flushes that a change waits for.
internal sealed partial class MemslotActor
{
    private readonly SlotFlush _flush;
    private IActorRef _changeAsker = ActorRefs.Nobody;
    private bool _isChanging;
    private bool _isInvalidating;
    private bool _workIsQueued;
    private bool _hasMoved;
    private readonly List<(IActorRef Asker, object Answer)> _afterFlush = [];

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
                // Nothing is written to the bitmap after this.
                _wiring.Vm.Tell(new MemslotProtocol.SlotChanged(_pager.Core.Slot.Id));
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
                var done = _pager.PreFault(preFault.Range);
                AnswerAfter(_pager.TakeFlush(), done);
                return true;
            default:
                return false;
        }
    }

    // The slot is deleted. Messages still in flight are answered so that no sender waits for ever. The tables stay
    // until the VM stops, since a vCPU may still walk them by an old list of slots.
    private void Gone(object message)
    {
        switch (message)
        {
            case MemslotProtocol.MemoryFaults faults:
                foreach (ref readonly var fault in faults.Faults.Span)
                    _effects.Resume(fault.Vcpu);
                Perform();
                break;
            case PagesFetched fetched:
                fetched.Batch.Release();
                break;
            case MemslotProtocol.UffdCopy copy:
                copy.Batch.Release();
                break;
            case MemslotProtocol.HostAccess access:
                _wiring.Vm.Forward(access);
                break;
            case MemslotProtocol.GetReport:
                Sender.Tell(new SlotReport(_pager.Core.Slot.Id, _pager.Missing, _pager.Waiting, _pager.Counters()));
                break;
            case MemslotProtocol.GetBitmap range:
                // A slot re-created in its place with the same bitmap continues the sequence where this one ended.
                TellBitmap(range);
                break;
            case MemslotProtocol.GetDirtyLog or MemslotProtocol.ClearDirtyLog:
                Sender.Tell(new MemslotProtocol.DirtyLog(Errno.ENOENT, []));
                break;
        }
    }

    private void OnGetDirtyLog()
    {
        var words = new ulong[(_pager.Range.Count + 63) / 64];
        var errno = _pager.Core.GetDirtyLog(words, out var flush);
        AnswerAfter(flush, new MemslotProtocol.DirtyLog(errno, errno == Errno.None ? words : []));
    }

    // Until every vCPU has dropped its old translations, a write may go unlogged, or an access may reach a page that
    // was replaced. The caller is therefore answered only afterwards.
    private void AnswerAfter(GfnRange flush, object answer)
    {
        _afterFlush.Add((Sender, answer));
        AskFlush(flush);
        if (!_flush.IsPending)
            AfterFlush();
    }

    // A change runs in bounded batches. The mailbox is served between batches, and each batch that needs a shootdown
    // waits for it.
    private void Begin(Action change)
    {
        if (_isChanging)
            throw new InvalidOperationException($"{_pager.Core.Slot.Id} is changed while it changes");
        _isChanging = true;
        _changeAsker = Sender;
        change();
        DoWork();
    }

    private void DoWork()
    {
        if (!_isChanging || _flush.IsPending)
            return;
        if (!_pager.Core.HasWork)
        {
            EndChange();
            return;
        }

        var step = _pager.Core.Work(_wiring.Settings.WorkBudget);
        if (!step.Flush.IsEmpty)
            AskFlush(step.Flush);
        if (_flush.IsPending || _workIsQueued)
            return;
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
        if (range.IsEmpty)
            return;
        _pager.CountFlush();
        var generation = _flush.Request(range);
        for (var vcpu = 0; vcpu < _wiring.Vcpus.Count; vcpu++)
        {
            if (_flush.Owes(vcpu, generation))
                _wiring.Vcpus[vcpu].Tell(new VcpuProtocol.FlushTlb(generation, range));
        }

        if (!_flush.IsPending)
            AfterFlush();
    }

    private void AfterFlush()
    {
        if (_flush.IsPending)
            return;
        foreach (var (asker, answer) in _afterFlush)
            asker.Tell(answer);
        _afterFlush.Clear();
        if (_pager.NeedsFlush)
        {
            _pager.Core.CompleteFlush();
            if (!_isInvalidating)
                _pager.ReleaseHeldBack(_effects);
            Perform();
        }

        if (_isChanging && !_workIsQueued)
        {
            _workIsQueued = true;
            Self.Tell(MemslotProtocol.Work.Instance, ActorRefs.NoSender);
        }
    }
}
