using Akka.Actor;
using Userfault.Actors;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Kvm;

/// <summary>
/// The actor of a real vCPU, in place of the model's <see cref="VcpuActor"/>. Its thread's faults go to the page's
/// memslot like any other, one at a time; the memslot's answers go to the thread. It never blocks.
/// </summary>
internal sealed class KvmVcpuActor : UntypedActor
{
    private readonly VcpuSeat _seat;
    private readonly KvmMachine _machine;
    private readonly VcpuThread _thread;
    private readonly Action<string> _onBroken;
    private readonly Queue<KvmVcpuProtocol.Touched> _touched = new();
    private readonly LatencyHistogram _latency = new();
    private int _hint;
    private long _startedAt;
    private long _finishedNs = -1;
    private long _stallNs;
    private long _faults;

    public KvmVcpuActor(VcpuSeat seat, KvmMachine machine, VcpuThread thread, Action<string> onBroken) =>
        (_seat, _machine, _thread, _onBroken) = (seat, machine, thread, onBroken);

    /// <summary>A vCPU that waits for its start.</summary>
    /// <param name="seat">Its place in the actors' VM.</param>
    /// <param name="machine">The real VM.</param>
    /// <param name="thread">Its thread, not started.</param>
    /// <param name="onBroken">Called, with one line, if it cannot continue. Any thread.</param>
    public static Props Props(VcpuSeat seat, KvmMachine machine, VcpuThread thread, Action<string> onBroken) =>
        Akka.Actor.Props.Create(() => new KvmVcpuActor(seat, machine, thread, onBroken));

    protected override void PreStart() => _thread.Begin(Self);

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case KvmVcpuProtocol.Touched touched:
                _touched.Enqueue(touched);
                if (_touched.Count == 1)
                    Report();
                break;
            case VcpuProtocol.Resume or VcpuProtocol.Skip:
                OnResume();
                break;
            case VcpuProtocol.FlushTlb flush:
                // The kernel flushes real TLBs itself when a region changes; there are no model TLBs here.
                Follow();
                Sender.Tell(new MemslotProtocol.FlushDone(_seat.Number, flush.Generation));
                break;
            case VcpuProtocol.Start:
                _startedAt = TimeProvider.System.GetTimestamp();
                Follow();
                _thread.Start();
                break;
            case VcpuProtocol.Fail fail:
                _seat.Vm.Tell(new VmProtocol.VcpuFailed(_seat.Number, fail.Gfn, fail.Why));
                break;
            case VcpuProtocol.Pause:
                if (!_thread.Pause())
                    _seat.Vm.Tell(new VmProtocol.VcpuPaused(_seat.Number));
                break;
            case VcpuProtocol.Continue:
                _thread.Continue();
                // Reported again, since its memslot may have lost it.
                if (_touched.Count > 0)
                    Report();
                break;
            case KvmVcpuProtocol.Parked:
                _seat.Vm.Tell(new VmProtocol.VcpuPaused(_seat.Number));
                break;
            case KvmVcpuProtocol.Finished:
                _finishedNs = SinceNs(_startedAt);
                _seat.Vm.Tell(new VmProtocol.VcpuFinished(_seat.Number));
                break;
            case KvmVcpuProtocol.Broken broken:
                _onBroken(broken.Why);
                break;
            case VcpuProtocol.GetReport:
                Sender.Tell(
                    new VcpuReport(
                        _seat.Number,
                        _thread.Accesses,
                        _thread.Reads,
                        _thread.Writes,
                        _thread.WrongReads,
                        _faults,
                        _thread.Mmio,
                        _stallNs,
                        _finishedNs,
                        _latency.Snapshot(),
                        default
                    )
                );
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Report()
    {
        var touched = _touched.Peek();
        if (_seat.Space.Find(touched.Gfn, ref _hint) is { } slot)
            _seat.Report(slot, new VcpuAccess(touched.Gfn, touched.Access));
        else
            _onBroken($"vCPU {_seat.Number} touched {touched.Gfn}, where no memslot is");
    }

    private void OnResume()
    {
        if (!_touched.TryDequeue(out var touched))
            return;
        var ns = SinceNs(touched.At);
        _faults++;
        _latency.Record(ns);
        _stallNs += ns;
        _thread.Resume();
        if (_touched.Count > 0)
            Report();
    }

    private void Follow()
    {
        try
        {
            _machine.Follow(_seat.Space);
        }
        catch (LinuxException e)
        {
            _onBroken(e.Message);
        }
    }

    private static long SinceNs(long timestamp) =>
        (long)(TimeProvider.System.GetElapsedTime(timestamp).TotalMicroseconds * 1000);
}
