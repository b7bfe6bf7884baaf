using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// A vCPU. Runs its core in slices and turns an access that leaves the guest into a message to the page's memslot; the
/// vCPU then waits, and its thread is never blocked. Its state is in the core, which the VM owns, so that the actor
/// continues with it after a failure.
/// </summary>
internal sealed class VcpuActor(VcpuCore core, IGuestTime time, VcpuSeat seat) : UntypedActor
{
    private bool _isStarted;
    private bool _isPaused;
    private bool _sliceIsQueued;
    private long _pausedNs;

    /// <summary>A vCPU that waits for its start.</summary>
    /// <param name="core">The vCPU's state.</param>
    /// <param name="time">The clock.</param>
    /// <param name="seat">Its place in the VM.</param>
    public static Props Props(VcpuCore core, IGuestTime time, VcpuSeat seat) =>
        Akka.Actor.Props.Create(() => new VcpuActor(core, time, seat));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VcpuProtocol.RunSlice:
                _sliceIsQueued = false;
                Run(time.NowNs);
                break;
            case VcpuProtocol.Resume:
                OnResume();
                break;
            case VcpuProtocol.FlushTlb flush:
                core.Flush(flush.Range);
                Sender.Tell(new MemslotProtocol.FlushDone(core.Number, flush.Generation));
                break;
            case VcpuProtocol.Skip skip:
                // Stale answer: a pause made the vCPU report this fault twice. It must not skip another access.
                if (!core.IsFaulted || core.PendingFault.Gfn != skip.Gfn)
                    break;
                core.ResumeBehind(time.NowNs);
                Run(time.NowNs);
                break;
            case VcpuProtocol.Start:
                _isStarted = true;
                core.Start(time.NowNs);
                Run(time.NowNs);
                break;
            case VcpuProtocol.Fail fail:
                seat.Vm.Tell(new VmProtocol.VcpuFailed(core.Number, fail.Gfn, fail.Why));
                break;
            case VcpuProtocol.Pause:
                OnPause();
                break;
            case VcpuProtocol.Continue:
                OnContinue();
                break;
            case VcpuProtocol.GetReport:
                Sender.Tell(core.Report());
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void OnResume()
    {
        if (!core.IsFaulted)
            return;
        var now = time.NowNs;
        core.Resume(now);
        Run(now);
    }

    private void OnPause()
    {
        if (!_isPaused)
            _pausedNs = time.NowNs;
        _isPaused = true;
        seat.Vm.Tell(new VmProtocol.VcpuPaused(core.Number));
    }

    private void OnContinue()
    {
        if (!_isPaused)
            return;
        _isPaused = false;
        if (core.IsFaulted)
        {
            Report();
            return;
        }

        if (_isStarted)
            core.AddPause(time.NowNs - _pausedNs);
        Run(time.NowNs);
    }

    private void Run(long nowNs)
    {
        if (_isPaused || !_isStarted || core.IsFaulted || core.IsFinished)
            return;
        while (true)
        {
            switch (core.Run(nowNs))
            {
                case SliceEnd.BudgetUsed:
                    Queue();
                    return;
                case SliceEnd.Fault when core.FaultingSlot is null:
                    // The vCPU's thread inside KVM finds no memslot: the access goes to a device.
                    core.ResumeBehind(nowNs = time.NowNs);
                    break;
                case SliceEnd.Fault:
                    Report();
                    return;
                case SliceEnd.NotDue:
                    if (_sliceIsQueued)
                        return;
                    _sliceIsQueued = true;
                    time.TellAt(core.DueNs, Self, VcpuProtocol.RunSlice.Instance);
                    return;
                case SliceEnd.Finished:
                    seat.Vm.Tell(new VmProtocol.VcpuFinished(core.Number));
                    return;
                default:
                    throw new InvalidOperationException("a slice ended in no known way");
            }
        }
    }

    private void Queue()
    {
        if (_sliceIsQueued)
            return;
        _sliceIsQueued = true;
        Self.Tell(VcpuProtocol.RunSlice.Instance, ActorRefs.NoSender);
    }

    private void Report()
    {
        if (core.FaultingSlot is { } slot)
            seat.Report(slot, core.PendingFault);
    }
}
