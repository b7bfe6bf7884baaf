using Akka.Actor;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// A memslot: the single writer of its userfault bitmap and its tables. The pager decides; this actor receives
/// messages, calls the pager, and performs its effects. The pager outlives a failure of this actor, so no page is
/// forgotten: the VM pauses, and the actor continues with the pager as it is.
/// </summary>
/// <remarks>
/// A message carries all faults that the vCPUs made while the previous messages were in flight, and the faults of
/// messages that are in the mailbox together are fetched together: the first one sends SendFetches to this actor, which
/// is queued behind all messages already waiting.
/// </remarks>
internal sealed partial class MemslotActor : UntypedActor
{
    private const ulong MostUntold = 4096;

    private readonly MemslotPager _pager;
    private readonly MemslotWiring _wiring;
    private readonly EffectBuffer _effects = new();
    private readonly List<MemoryPage> _wanted = new(64);
    private readonly List<int> _resumed = new(64);
    private readonly int _batch;
    private readonly ClearBatch? _clears;
    private ulong _placedAtListener;
    private bool _hadTrouble;

    /// <summary>See <see cref="Props"/>.</summary>
    public MemslotActor(MemslotPager pager, MemslotWiring wiring)
    {
        (_pager, _wiring) = (pager, wiring);
        _batch = FaultGate.BatchFor(wiring.Vcpus.Count);
        _uffd = new UffdQueues(pager.Pages, wiring.Settings.UffdDescriptors);
        _flush = new SlotFlush(wiring.Vcpus.Count);
        // Like the pager, it survives this actor: replicas count its batches.
        if (wiring.BroadcastsClears)
            pager.Cleared = _clears = pager.Cleared ?? new ClearBatch();
        _placedAtListener = pager.Missing;
    }

    /// <summary>A memslot.</summary>
    /// <param name="pager">Its state; survives the actor.</param>
    /// <param name="wiring">The actors that it talks to.</param>
    public static Props Props(MemslotPager pager, MemslotWiring wiring) =>
        Akka.Actor.Props.Create(() => new MemslotActor(pager, wiring));

    /// <inheritdoc/>
    protected override void PreStart()
    {
        // Sent even if it is empty: replicas learn that the slot exists before its first bit is cleared, and which
        // actor owns it now.
        if (_clears is not null)
            SendBatch();
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
                if (!OnHostSide(message) && !OnChange(message))
                    Unhandled(message);
                break;
        }
    }

    private void OnFaults(ReadOnlySpan<MemslotProtocol.MemoryFault> faults)
    {
        foreach (ref readonly var fault in faults)
        {
            if (_hasMoved && !_pager.Range.Contains(fault.Access.Gfn))
                // The vCPU looked the slot up just before the move: it repeats the access with the new list of slots.
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
            // The vCPUs resumed here run while the rest is put in place.
            Perform();
            pages = pages[some..];
        }

        batch.Release();
        TellPlaced();
    }

    // A fetcher's node assumed that these pages are in place. Those that are not are requested as demand, so that no
    // replica makes the decision again.
    private void OnNotSent(IReadOnlyList<MemoryPage> pages)
    {
        var missing = pages.Where(_pager.IsMissing).ToList();
        if (missing.Count > 0)
            _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, PageRuns.Of(missing)));
        TellPlaced();
    }

    private void OnAskAgain()
    {
        _pager.FetchAgain(_effects);
        Perform();
        foreach (var reader in _readers)
            reader.Tell(MemslotProtocol.AskAgain.Instance);
        var pushes = _pager.PushesUnderWay();
        if (pushes.Count > 0)
            _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, pushes));
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
                    if (_wanted.Count == 0)
                        Self.Tell(MemslotProtocol.SendFetches.Instance, ActorRefs.NoSender);
                    _wanted.Add(effect.Page);
                    if (_wanted.Count >= _batch)
                        SendFetches();
                    break;
                case EffectKind.Promote:
                    _wiring.Fetchers.Tell(new FetcherProtocol.Promote(effect.Page));
                    break;
                case EffectKind.Skip:
                    _wiring.Vcpus[effect.Waiter].Tell(new VcpuProtocol.Skip(effect.Gfn, effect.Why));
                    break;
                case EffectKind.Fail:
                    _wiring.Vcpus[effect.Waiter].Tell(new VcpuProtocol.Fail(effect.Gfn, effect.Why));
                    break;
                case EffectKind.UffdEvent:
                    var uffd = new UffdEvent(effect.Page, effect.IsMinor, effect.IsWrite);
                    _uffd.Add(uffd);
                    if (_wiring.TellsWanted && !uffd.IsMinor)
                        _wiring.Listener.Tell(new VmProtocol.PagesWanted(_pager.Core.Slot.Id, [effect.Page]));
                    Deliver(_uffd.DescriptorOf(effect.Page));
                    break;
                case EffectKind.RetryAccessor:
                    // As in the kernel: an accessor woken without its page repeats the access and finds the page where
                    // it is now.
                    _wiring.Vm.Tell(
                        new MemslotProtocol.HostAccess(effect.Page, IsWrite: false),
                        _accessors[effect.Waiter - _wiring.Vcpus.Count]
                    );
                    break;
                case EffectKind.WakeAccessor:
                    _accessors[effect.Waiter - _wiring.Vcpus.Count]
                        .Tell(new MemslotProtocol.HostAccessDone(effect.Page));
                    break;
                default:
                    throw new InvalidOperationException($"no such effect: {effect.Kind}");
            }
        }

        _effects.Clear();
        if (_resumed.Count > 0)
            Resume();
        if (!_pager.Flush.IsEmpty)
            AskFlush(_pager.TakeFlush());
    }

    private void Resume()
    {
        if (_resumed.Count == 1)
            _wiring.Vcpus[_resumed[0]].Tell(VcpuProtocol.Resume.Instance, ActorRefs.NoSender);
        else
            _wiring.Gate.Tell(new VcpuProtocol.ResumeAll(_resumed.ToArray()), ActorRefs.NoSender);
        _resumed.Clear();
    }

    private void SendFetches()
    {
        if (_wanted.Count == 0)
            return;
        _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Demand, PageRuns.Of(_wanted)));
        if (_wiring.TellsWanted)
            _wiring.Listener.Tell(new VmProtocol.PagesWanted(_pager.Core.Slot.Id, [.. _wanted]));
        if (_wiring.Settings.LocalityPages > 0)
            FetchAround();
        _wanted.Clear();
    }

    private void FetchAround()
    {
        var around = _wanted
            .Select(p => _pager.WindowAround(p, (ulong)_wiring.Settings.LocalityPages))
            .Where(r => !r.IsEmpty)
            .ToList();
        if (around.Count > 0)
            _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, around));
    }

    private void Push()
    {
        List<MemoryPageRange>? ranges = null;
        while (_pager.TryPush(out var range))
            (ranges ??= []).Add(range);
        if (ranges is not null)
            _wiring.Fetchers.Tell(new FetcherProtocol.FetchPages(FetchPriority.Background, ranges));
    }

    private void TellPlaced()
    {
        _pager.SettlePushes();
        Push();
        // The listener is notified of the last page, of the first one after a failure, and now and then in between: a
        // message per batch would wake another thread every few faults.
        var placed = _placedAtListener - _pager.Missing;
        if (placed >= MostUntold || (placed > 0 && (_pager.Missing == 0 || _hadTrouble)))
        {
            _hadTrouble = false;
            _placedAtListener = _pager.Missing;
            _wiring.Listener.Tell(new VmProtocol.PagesPlaced(_pager.Core.Slot.Id, _pager.Missing));
        }

        if (_clears is null || _clears.Words == 0)
            return;
        if (_clears.IsFull || _pager.Missing == 0)
            SendClears();
        else if (_clears.MarkQueued())
            Self.Tell(MemslotProtocol.SendClears.Instance, ActorRefs.NoSender);
    }

    private void SendClears()
    {
        if (_clears is { Words: > 0 })
            SendBatch();
    }

    private void SendBatch()
    {
        var words = _clears!.Take();
        var clears = new BitsCleared(_wiring.VmName, _pager.Core.Slot.Id, _pager.Pages, _clears.Sequence, words);
        _wiring.Fetchers.Tell(new FetcherProtocol.BroadcastClears(clears));
    }
}
