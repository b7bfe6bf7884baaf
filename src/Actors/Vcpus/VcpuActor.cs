using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// A vCPU. Runs its core in slices and turns an access that leaves the guest into a message to the page's memslot; it
/// is paused then, never its thread blocked. Its state is the core's, which the VM made: a restart goes on with it.
/// </summary>
public sealed class VcpuActor(VcpuCore core, IGuestTime time, IActorRef vm) : UntypedActor
{
    private bool _isStarted;
    private bool _isPaused;
    private bool _sliceIsQueued;
    private long _pausedNs;

    /// <summary>A vCPU that waits for its start.</summary>
    public static Props Props(VcpuCore core, IGuestTime time, IActorRef vm) =>
        Akka.Actor.Props.Create(() => new VcpuActor(core, time, vm));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VcpuProtocol.RunSlice:
                _sliceIsQueued = false;
                Run();
                break;
            case VcpuProtocol.Resume:
                OnResume();
                break;
            case VcpuProtocol.FlushTlb flush:
                core.Flush(flush.Range);
                Sender.Tell(new MemslotProtocol.FlushDone(core.Number, flush.Generation));
                break;
            case VcpuProtocol.Skip skip:
                // Late after a pause that made the fault be reported twice: it must not skip another access.
                if (!core.IsFaulted || core.PendingFault.Gfn != skip.Gfn) break;
                core.ResumeBehind(time.NowNs);
                Run();
                break;
            case VcpuProtocol.Start:
                _isStarted = true;
                core.Start(time.NowNs);
                Run();
                break;
            case VcpuProtocol.Fail fail:
                vm.Tell(new VmProtocol.VcpuFailed(core.Number, fail.Gfn, fail.Why));
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
        if (!core.IsFaulted) return;
        core.Resume(time.NowNs);
        Run();
    }

    private void OnPause()
    {
        if (!_isPaused) _pausedNs = time.NowNs;
        _isPaused = true;
        vm.Tell(new VmProtocol.VcpuPaused(core.Number));
    }

    private void OnContinue()
    {
        if (!_isPaused) return;
        _isPaused = false;
        if (core.IsFaulted)
        {
            Report();
            return;
        }

        if (_isStarted) core.AddPause(time.NowNs - _pausedNs);
        Run();
    }

    private void Run()
    {
        if (_isPaused || !_isStarted || core.IsFaulted || core.IsFinished) return;
        while (true)
        {
            switch (core.Run(time.NowNs))
            {
                case SliceEnd.BudgetUsed:
                    Queue();
                    return;
                case SliceEnd.Fault when core.FaultingSlot is null:
                    // KVM's own thread finds that no memory is there: the access goes to a device.
                    core.ResumeBehind(time.NowNs);
                    break;
                case SliceEnd.Fault:
                    Report();
                    return;
                case SliceEnd.NotDue:
                    if (_sliceIsQueued) return;
                    _sliceIsQueued = true;
                    time.TellAt(core.DueNs, Self, VcpuProtocol.RunSlice.Instance);
                    return;
                case SliceEnd.Finished:
                    vm.Tell(new VmProtocol.VcpuFinished(core.Number));
                    return;
                default:
                    throw new InvalidOperationException("a slice ended in no known way");
            }
        }
    }

    private void Queue()
    {
        if (_sliceIsQueued) return;
        _sliceIsQueued = true;
        Self.Tell(VcpuProtocol.RunSlice.Instance, ActorRefs.NoSender);
    }

    private void Report() =>
        core.FaultingSlot?.Memslot.Tell(new MemslotProtocol.MemoryFault(core.Number, core.PendingFault), Self);
}
