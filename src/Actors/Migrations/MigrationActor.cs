using Akka.Actor;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>
/// Drives a migration: creates the slots with every bit set, starts the guest and the background push, turns USERFAULT
/// off when the last page is in place, verifies every page, and reports. Sends its observer a
/// <see cref="MigrationProgress"/> at intervals, and the <see cref="MigrationReport"/> at the end.
/// </summary>
public sealed partial class MigrationActor : UntypedActor
{
    private const ulong PagesAVerifySlice = 2048;

    // At most one part in so many of the time goes to samples.
    private const long SampleShare = 8;
    private const long LookForDigestsNs = 10_000_000;
    private const long PatienceWithDigestsNs = 2_000_000_000;

    private readonly MigrationPlan _plan;
    private readonly IActorRef _fetchers;
    private readonly IActorRef _observer;
    private readonly MigrationCore _core;
    private readonly List<SlotSetup> _slots = [];
    private readonly Queue<VmProtocol.ICommand> _calls = new();
    private readonly Dictionary<SlotId, ulong> _missing = [];
    private readonly List<TimelineSample> _timeline = [];
    private readonly WorkingSetRecorder _recorder;
    private readonly GuestVerifier _verifier;
    private IActorRef _vm = ActorRefs.Nobody;
    private ReportCollector? _sample;
    private ReportCollector? _final;
    private MigrationProgress? _lastProgress;
    private VerifyResult? _verified;
    private long _sampleAskedNs;
    private long _sampleTookNs;
    private ulong _pages;
    private ulong _missingPages;
    private bool _vmIsPaused;
    private bool _isTurningOff;
    private bool _isVerifying;
    private bool _hostIsDone;
    private bool _isReported;
    private bool _wantsFinal;
    private long _wrongHostReads;
    private long _digestsAskedNs = -1;
    private int _verifySlot;
    private ulong _verifyPage;
    private long _lastProgressNs;
    private long _nextProgressNs;

    /// <summary>See <see cref="Props"/>.</summary>
    public MigrationActor(MigrationPlan plan, IActorRef fetchers, IActorRef observer)
    {
        (_plan, _fetchers, _observer) = (plan, fetchers, observer);
        _core = new MigrationCore(plan.Workload.Vcpus, plan.Settings.FetchAll);
        _verifier = plan.Content.NewVerifier();
        _recorder = new WorkingSetRecorder(plan.Content.Image.Pages);
        _hostIsDone = plan.Settings.HostAccesses == 0;
    }

    /// <summary>A migration that waits for <see cref="MigrationProtocol.Start"/>.</summary>
    /// <param name="plan">The settings, the guest and its memory.</param>
    /// <param name="fetchers">The fetcher pool, with its fetchers.</param>
    /// <param name="observer">Receives progress and the report.</param>
    public static Props Props(MigrationPlan plan, IActorRef fetchers, IActorRef observer) =>
        Akka.Actor.Props.Create(() => new MigrationActor(plan, fetchers, observer));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(failure =>
        {
            Self.Tell(new MigrationProtocol.Stop($"{Sender.Path.Name} failed: {failure.Message}"));
            return Directive.Stop;
        });

    /// <inheritdoc/>
    protected override void PostStop()
    {
        _verifier.Dispose();
        _recorder.Dispose();
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VmProtocol.PagesPlaced placed:
                OnPlaced(placed);
                break;
            case VmProtocol.PagesWanted wanted:
                OnWanted(wanted.Pages);
                break;
            case MigrationProtocol.Start:
                Prepare();
                break;
            case VmProtocol.Answer answer:
                OnAnswer(answer);
                break;
            case VmProtocol.VcpuFinished finished:
                _core.VcpuFinished(finished.Vcpu, Now);
                Advance();
                break;
            case VmProtocol.VcpuFailed failed:
                Fail($"vCPU {failed.Vcpu} cannot go on: {failed.Why} at {failed.Gfn}");
                break;
            case MigrationProtocol.HostAccessesDone done:
                _hostIsDone = true;
                _wrongHostReads = done.Wrong;
                Advance();
                break;
            case VmProtocol.SourceLost lost:
                Pause(lost.Reason);
                break;
            case VmProtocol.VmPaused paused:
                _vmIsPaused = true;
                Pause(paused.Reason);
                break;
            case MigrationProtocol.Continue:
                _vmIsPaused = false;
                _vm.Tell(VmProtocol.ContinueVm.Instance);
                if (_core.Continue(Now))
                    TellProgress();
                break;
            case MigrationProtocol.Tick:
                OnTick();
                break;
            case MigrationProtocol.VerifySome:
                VerifySome();
                break;
            case MigrationProtocol.Stop stop:
                Fail(stop.Reason);
                break;
            case MigrationProtocol.GetProgress:
                Sender.Tell(Progress(null));
                break;
            default:
                if (!OnReport(message))
                    Unhandled(message);
                break;
        }
    }

    private long Now => _plan.Time.NowNs;

    private void Prepare()
    {
        // Stopped before; it has reported, or is about to.
        if (_core.IsOver)
            return;
        var settings = _plan.Settings;
        var policy = settings.Architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;
        _vm = Context.ActorOf(
            VmActor
                .Props(
                    new VmSettings
                    {
                        Name = _plan.VmName,
                        Policy = policy,
                        Mode = settings.Mode,
                        Memory = settings.Memory,
                        Content = _plan.Content,
                        Workload = _plan.Workload,
                        Vcpu = settings.Vcpu,
                        Time = _plan.Time,
                        FaultBatch = settings.FaultBatch,
                        Memslot = settings.Memslot,
                        BroadcastsClears = _plan.BroadcastsClears,
                        TellsWanted = _plan.RecordsWorkingSet,
                        SlotCreated = _plan.SlotCreated,
                        VcpuDispatcher = _plan.VcpuDispatcher,
                        MemslotDispatcher = _plan.MemslotDispatcher,
                        OtherVcpus = _plan.OtherVcpus,
                    },
                    _fetchers,
                    Self
                )
                .WithDispatcher(Context.Props.Dispatcher),
            "vm"
        );
        var slots = _plan.Slots();
        if (slots.Count > policy.UserSlots)
        {
            Fail($"{slots.Count} memslots: a VM has at most {policy.UserSlots}");
            return;
        }

        // Before there is a slot, each of which would have to be told.
        if (settings.Memory == MemoryKind.GuestMemfd)
        {
            foreach (var range in slots)
                _calls.Enqueue(new VmProtocol.SetMemoryAttributes(range, IsPrivate: true));
        }

        foreach (var range in slots)
            AddSlot(range);
        NextCall();
    }

    private void AddSlot(GfnRange range)
    {
        var bitmap = UserfaultBitmap.Allocate(range.Count);
        if (!_plan.Settings.StartsWhole)
            bitmap.SetAll();
        var id = SlotId.Of(0, (ushort)_slots.Count);
        var slot = new SlotSetup(id, range, bitmap, _plan.Content.Memory.Base, _plan.Settings);
        _slots.Add(slot);
        _pages += range.Count;
        SetMissing(id, bitmap.Count());
        _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.Create(), bitmap));
        if (slot.SetsUserfaultLate)
            _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.TurnOn()));
    }

    private void OnAnswer(VmProtocol.Answer answer)
    {
        if (answer.Errno != Errno.None)
        {
            Fail($"a memory region call failed with {answer.Errno}");
            return;
        }

        NextCall();
    }

    // One call after another: each is answered before the next is made, as with ioctls.
    private void NextCall()
    {
        if (_core.IsOver)
            return;
        if (_calls.TryDequeue(out var call))
            _vm.Tell(call);
        else if (_core.State == MigrationState.Preparing)
            Run();
        else
            Advance();
    }

    private void Run()
    {
        _core.Started(Now);
        (_lastProgressNs, _nextProgressNs) = (Now, Now);
        _vm.Tell(VmProtocol.StartVcpus.Instance);
        var settings = _plan.Settings;
        if (settings.Background != BackgroundOrder.None)
        {
            var window = Math.Max(
                settings.BackgroundChunkPages,
                settings.BackgroundWindowPages / Math.Max(1, _slots.Count)
            );
            _vm.Tell(
                new MemslotProtocol.StartPush(
                    OrderOf(settings.Background),
                    _plan.WorkingSet,
                    window,
                    settings.BackgroundChunkPages
                )
            );
        }

        if (settings.HostAccesses > 0)
        {
            var slots = _slots.Select(static slot => slot.Pages).ToArray();
            Context.ActorOf(
                Akka.Actor.Props.Create(() =>
                    new HostAccessorActor(_vm, Self, _plan.Content, slots, settings.HostAccesses, settings.Seed)
                ),
                "device"
            );
        }

        Self.Tell(MigrationProtocol.Tick.Instance);
        Advance();
    }

    private void OnPlaced(VmProtocol.PagesPlaced placed)
    {
        SetMissing(placed.Slot, placed.Missing);
        // Pages keep arriving while vCPUs are stopped after a failure: that alone does not mean that the guest runs.
        if (!_vmIsPaused && _core.Continue(Now))
            TellProgress();
        if (placed.Missing == 0)
            Advance();
    }

    private void OnWanted(IReadOnlyList<MemoryPage> pages)
    {
        foreach (var page in pages)
        {
            if (page.Value < _plan.Content.Image.Pages)
                _recorder.Touch(page);
        }
    }

    private void Advance()
    {
        if (_core.IsOver || _core.State == MigrationState.Preparing)
            return;
        if (!_isTurningOff && _missingPages == 0 && _core.AllPagesPresent(Now))
        {
            // The guest keeps running: the flag is toggled under load.
            _isTurningOff = true;
            foreach (var slot in _slots.Where(s => s.UsesUserfault))
                _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.TurnOff()));
            if (_calls.TryDequeue(out var call))
            {
                _vm.Tell(call);
                return;
            }
        }

        if (_isVerifying || _calls.Count > 0 || !_hostIsDone || !_core.IsReadyToVerify)
            return;
        _isVerifying = true;
        Self.Tell(MigrationProtocol.VerifySome.Instance);
    }

    private void Pause(string reason)
    {
        if (_core.Pause(reason, Now))
            TellProgress();
    }

    private void Fail(string reason)
    {
        if (_core.IsOver)
            return;
        _core.Fail(reason);
        AskFinalReports();
    }

    private void OnTick()
    {
        if (_core.IsOver)
            return;
        if (_sample is null)
        {
            _sample = new ReportCollector();
            _sampleAskedNs = Now;
            _vm.Tell(VmProtocol.GetSample.Instance);
            _fetchers.Tell(FetcherPoolProtocol.GetReports.Instance);
        }

        // A VM of tens of thousands of slots has more to do than to report.
        if (_plan.Settings.SampleNs > 0)
        {
            var waitNs = Math.Max(_plan.Settings.SampleNs, _sampleTookNs * SampleShare);
            _plan.Time.TellAt(Now + waitNs, Self, MigrationProtocol.Tick.Instance);
        }
    }

    private static PushOrderKind OrderOf(BackgroundOrder order) =>
        order switch
        {
            BackgroundOrder.Outward => PushOrderKind.Outward,
            BackgroundOrder.Recorded => PushOrderKind.Recorded,
            _ => PushOrderKind.Sequential,
        };
}
