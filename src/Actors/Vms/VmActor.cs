using Akka.Actor;
using Akka.Event;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// A VM: owns its memslots and vCPUs, answers KVM's calls as messages, one change after another, and supervises. If one
/// of its actors fails, it pauses the VM and notifies the listener: the actor continues with the state it has, and no
/// page is forgotten.
/// </summary>
internal sealed partial class VmActor : UntypedActor
{
    // For a progress sample, the reports of hundreds of vCPUs would cost more than they are worth.
    private const int MostSampled = 16;

    private readonly VmSettings _settings;
    private readonly IActorRef _fetchers;
    private readonly IActorRef _listener;
    private readonly MemslotSet[] _addressSpaces;
    private readonly GuestSpace _space = new(new TableReaders());
    private readonly HostMapping _host;
    private readonly SortedDictionary<uint, (MemslotPager Pager, IActorRef Actor)> _slots = [];
    private readonly List<MemslotPager> _retired = [];
    private readonly List<IActorRef> _vcpus = [];
    private readonly List<VcpuCore> _cores = [];
    private readonly FaultGate _faults;
    private readonly HashSet<int> _paused = [];
    private readonly Queue<(object Call, IActorRef Asker)> _waitingCalls = new();
    private readonly Dictionary<uint, (UserfaultBitmap Bitmap, ClearBatch? Clears)> _deleted = [];
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private MemoryAttributes _attributes = MemoryAttributes.AllShared;
    private IActorRef _gate = ActorRefs.Nobody;
    private Change? _change;
    private MemslotProtocol.StartPush? _push;
    private string? _pauseReason;
    private bool _isPublished;
    private bool _isLookedAt;

    /// <summary>See <see cref="Props"/>.</summary>
    public VmActor(VmSettings settings, IActorRef fetchers, IActorRef listener)
    {
        (_settings, _fetchers, _listener) = (settings, fetchers, listener);
        _faults = new FaultGate(
            settings.FaultBatch > 0 ? settings.FaultBatch : FaultGate.BatchFor(settings.Workload.Vcpus)
        );
        _addressSpaces = [.. Enumerable.Range(0, settings.Policy.AddressSpaces).Select(_ => new MemslotSet())];
        _host = new HostMapping(
            settings.Memory,
            settings.Content.Memory.Base,
            settings.Content.Memory.Pages,
            ModesOf(settings)
        );
    }

    /// <summary>A VM without memslots; its vCPUs wait for <see cref="VmProtocol.StartVcpus"/>.</summary>
    /// <param name="settings">Its settings.</param>
    /// <param name="fetchers">The fetcher pool.</param>
    /// <param name="listener">Receives pages put in place, pauses, ends and failures.</param>
    public static Props Props(VmSettings settings, IActorRef fetchers, IActorRef listener) =>
        Akka.Actor.Props.Create(() => new VmActor(settings, fetchers, listener));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(failure =>
        {
            // The actor continues with its state; the effect of the failed message is recovered when the VM continues.
            _log.Error(failure, "{0} failed: the VM is paused", Sender.Path.Name);
            Self.Tell(new VmProtocol.PauseVm($"{Sender.Path.Name} failed: {failure.Message}"));
            return Directive.Resume;
        });

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _gate = Context.ActorOf(Dispatched(VcpuGateActor.Props(_faults, _vcpus), _settings.VcpuDispatcher), "vcpus");
        for (var i = 0; i < _settings.Workload.Vcpus; i++)
        {
            var seat = new VcpuSeat(i, _space, Self, _faults, _gate);
            var vcpu = _settings.OtherVcpus?.Invoke(seat) ?? ModelVcpu(seat);
            _vcpus.Add(Context.ActorOf(Dispatched(vcpu, _settings.VcpuDispatcher), $"vcpu-{i}"));
        }
    }

    private Props ModelVcpu(VcpuSeat seat)
    {
        var core = new VcpuCore(
            seat.Number,
            _settings.Vcpu,
            _settings.Workload.Open(seat.Number),
            _space,
            _settings.Content,
            _settings.Policy
        )
        {
            AccessesPrivately = _settings.Memory == MemoryKind.GuestMemfd,
        };
        _cores.Add(core);
        return VcpuActor.Props(core, _settings.Time, seat);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        foreach (var (_, (pager, _)) in _slots)
            pager.Dispose();
        foreach (var pager in _retired)
            pager.Dispose();
        foreach (var core in _cores)
            core.Dispose();
        _host.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VmProtocol.SetUserMemoryRegion2 or VmProtocol.SetMemoryAttributes when _change is not null:
                _waitingCalls.Enqueue((message, Sender));
                break;
            case VmProtocol.SetUserMemoryRegion2 or VmProtocol.SetMemoryAttributes:
                Call(message, Sender);
                break;
            case MemslotProtocol.SlotChanged changed:
                OnSlotChanged(changed.Id);
                break;
            case VmProtocol.CheckExtension check:
                Sender.Tell(new VmProtocol.Answer(Errno.None, ValueOf(check.Capability)));
                break;
            case VmProtocol.GetDirtyLog log:
                Forward(log.Slot, MemslotProtocol.GetDirtyLog.Instance);
                break;
            case VmProtocol.ClearDirtyLog clear:
                Forward(clear.Slot, new MemslotProtocol.ClearDirtyLog(clear.FirstPage, clear.Pages, clear.Mask));
                break;
            case VmProtocol.PreFault preFault:
                PreFault(preFault.Range);
                break;
            default:
                if (!OnRun(message))
                    Unhandled(message);
                break;
        }
    }

    private bool OnRun(object message)
    {
        switch (message)
        {
            case VmProtocol.StartVcpus:
                PublishNow();
                foreach (var vcpu in _vcpus)
                    vcpu.Tell(VcpuProtocol.Start.Instance);
                return true;
            case VmProtocol.PauseVm pause:
                Pause(pause.Reason);
                return true;
            case VmProtocol.ContinueVm:
                Continue();
                return true;
            case VmProtocol.VcpuPaused paused:
                _paused.Add(paused.Vcpu);
                if (_pauseReason is not null && _paused.Count == _vcpus.Count)
                    _listener.Tell(new VmProtocol.VmPaused(_pauseReason));
                return true;
            case VmProtocol.VcpuFinished or VmProtocol.VcpuFailed or VmProtocol.SourceLost:
                _listener.Forward(message);
                return true;
            case MemslotProtocol.HostAccess access:
                ForwardAccess(access);
                return true;
            case MemslotProtocol.StartPush push:
                _push = push;
                foreach (var (_, (_, slot)) in _slots)
                    slot.Tell(push);
                return true;
            case VmProtocol.GetSample:
                Sender.Tell(new VmProtocol.ReportsComing(Math.Min(MostSampled, _vcpus.Count), _slots.Count));
                foreach (var vcpu in _vcpus.Take(MostSampled))
                    vcpu.Forward(VcpuProtocol.GetReport.Instance);
                foreach (var (_, (_, slot)) in _slots)
                    slot.Forward(MemslotProtocol.GetReport.Instance);
                return true;
            case VmProtocol.GetReports:
                Sender.Tell(new VmProtocol.ReportsComing(_vcpus.Count, _slots.Count));
                foreach (var vcpu in _vcpus)
                    vcpu.Forward(VcpuProtocol.GetReport.Instance);
                foreach (var (_, (_, slot)) in _slots)
                    slot.Forward(MemslotProtocol.GetReport.Instance);
                return true;
            default:
                return false;
        }
    }

    private void Pause(string reason)
    {
        _pauseReason ??= reason;
        if (_vcpus.Count == 0)
            _listener.Tell(new VmProtocol.VmPaused(reason));
        foreach (var vcpu in _vcpus)
            vcpu.Tell(VcpuProtocol.Pause.Instance);
    }

    private void Continue()
    {
        _pauseReason = null;
        _paused.Clear();
        foreach (var (_, (_, slot)) in _slots)
            slot.Tell(MemslotProtocol.AskAgain.Instance);
        foreach (var vcpu in _vcpus)
            vcpu.Tell(VcpuProtocol.Continue.Instance);
        // If the gate failed, faults may still be collected in it.
        _gate.Tell(VcpuProtocol.SendFaults.Instance);
    }

    private void Forward(SlotId id, object message)
    {
        if (id.AddressSpace >= _addressSpaces.Length || id.Id >= _settings.Policy.UserSlots)
            Sender.Tell(new MemslotProtocol.DirtyLog(Errno.EINVAL, []));
        else if (_slots.TryGetValue(id.Raw, out var slot))
            slot.Actor.Forward(message);
        else
            Sender.Tell(new MemslotProtocol.DirtyLog(Errno.ENOENT, []));
    }

    private void PreFault(GfnRange range)
    {
        var hint = 0;
        PublishNow();
        if (!_settings.Policy.PrefaultsMemory || range.IsEmpty)
            Sender.Tell(new MemslotProtocol.PreFaulted(Errno.EINVAL, 0));
        else if (_space.Find(range.Start, ref hint) is { } slot)
            slot.Memslot.Forward(new MemslotProtocol.PreFault(range.Intersect(slot.Range)));
        else
            Sender.Tell(new MemslotProtocol.PreFaulted(Errno.ENOENT, 0));
    }

    // By the VMM's own mapping of guest memory, wherever in the guest the slot is now.
    private void ForwardAccess(MemslotProtocol.HostAccess access)
    {
        foreach (var (_, (pager, slot)) in _slots)
        {
            if (!pager.Pages.Contains(access.Page))
                continue;
            slot.Forward(access);
            return;
        }

        Sender.Tell(new MemslotProtocol.HostAccessDone(access.Page));
    }

    private int ValueOf(uint capability)
    {
        using var vm = new Vm(_settings.Policy, _host);
        return vm.CheckExtension(capability);
    }

    private static UffdModes ModesOf(VmSettings settings) =>
        settings.Mode == FaultMode.Userfault
            ? UffdModes.None
            : settings.Memory switch
            {
                MemoryKind.Anonymous => UffdModes.Missing,
                MemoryKind.Shmem => UffdModes.Missing | UffdModes.Minor,
                _ => UffdModes.None,
            };

    private static Props Dispatched(Props props, string? dispatcher) =>
        dispatcher is null ? props : props.WithDispatcher(dispatcher);
}
