using Akka.Actor;
using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>
/// Drives a migration: creates the slots with every bit set, starts the guest and the background push, turns USERFAULT
/// off when the last page is in place, verifies every page, and reports. Tells its observer a
/// <see cref="MigrationProgress"/> now and then, and the <see cref="MigrationReport"/> at the end.
/// </summary>
public sealed class MigrationActor : UntypedActor
{
    private const ulong PagesAVerifySlice = 2048;
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
    /// <param name="plan">What to do, and on what.</param>
    /// <param name="fetchers">The fetcher pool, with its fetchers.</param>
    /// <param name="observer">Who hears progress and the report.</param>
    public static Props Props(MigrationPlan plan, IActorRef fetchers, IActorRef observer) =>
        Akka.Actor.Props.Create(() => new MigrationActor(plan, fetchers, observer));

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(failure =>
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
                if (_core.Continue(Now)) TellProgress();
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
                if (!OnReport(message)) Unhandled(message);
                break;
        }
    }

    private long Now => _plan.Time.NowNs;

    private void Prepare()
    {
        var settings = _plan.Settings;
        var policy = settings.Architecture == Architecture.X86 ? MmuPolicy.X86 : MmuPolicy.Arm64;
        _vm = Context.ActorOf(
            VmActor.Props(
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
                    WorkBudget = settings.WorkBudget,
                    FaultBatch = settings.FaultBatch,
                    LocalityPages = settings.LocalityPages,
                    UffdDescriptors = settings.UffdDescriptors,
                    UffdReaders = settings.UffdReaders,
                    BroadcastsClears = _plan.BroadcastsClears,
                    TellsWanted = _plan.RecordsWorkingSet,
                    SlotCreated = _plan.SlotCreated,
                    VcpuDispatcher = _plan.VcpuDispatcher,
                    MemslotDispatcher = _plan.MemslotDispatcher,
                    OtherVcpus = _plan.OtherVcpus,
                },
                _fetchers, Self).WithDispatcher(Context.Props.Dispatcher),
            "vm");
        foreach (var range in _plan.Slots()) AddSlot(range);
        NextCall();
    }

    private void AddSlot(GfnRange range)
    {
        var bitmap = UserfaultBitmap.Allocate(range.Count);
        if (!_plan.Settings.StartsWhole) bitmap.SetAll();
        var id = SlotId.Of(0, (ushort)_slots.Count);
        var slot = new SlotSetup(id, range, bitmap, _plan.Content.Memory.Base, _plan.Settings);
        _slots.Add(slot);
        _missing.Add(id, bitmap.Count());
        if (_plan.Settings.Memory == MemoryKind.GuestMemfd)
            _calls.Enqueue(new VmProtocol.SetMemoryAttributes(range, IsPrivate: true));
        _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.Create(), bitmap));
        if (slot.SetsUserfaultLate) _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.TurnOn()));
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

    // One call after the other: each is answered before the next is made, as with ioctls.
    private void NextCall()
    {
        if (_core.IsOver) return;
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
            var window = Math.Max(settings.BackgroundChunkPages, settings.BackgroundWindowPages / Math.Max(1, _slots.Count));
            _vm.Tell(new MemslotProtocol.StartPush(
                OrderOf(settings.Background), _plan.WorkingSet, window, settings.BackgroundChunkPages));
        }

        if (settings.HostAccesses > 0)
        {
            Context.ActorOf(Akka.Actor.Props.Create(() => new HostAccessorActor(
                _vm, Self, _plan.Content, _plan.Slots(), settings.HostAccesses, settings.Seed)), "device");
        }

        Self.Tell(MigrationProtocol.Tick.Instance);
        Advance();
    }

    private void OnPlaced(VmProtocol.PagesPlaced placed)
    {
        _missing[placed.Slot] = placed.Missing;
        // Pages go on coming while vCPUs are stopped after a failure: that alone does not make the guest run.
        if (!_vmIsPaused && _core.Continue(Now)) TellProgress();
        if (placed.Missing == 0) Advance();
    }

    private void OnWanted(IReadOnlyList<Gfn> pages)
    {
        foreach (var gfn in pages)
        {
            if (gfn.Value < _plan.Content.Image.Pages) _recorder.Touch(gfn);
        }
    }

    private void Advance()
    {
        if (_core.IsOver || _core.State == MigrationState.Preparing) return;
        if (!_isTurningOff && Missing() == 0 && _core.AllPagesPresent(Now))
        {
            // The guest goes on meanwhile: this is the flag toggled under load.
            _isTurningOff = true;
            foreach (var slot in _slots.Where(s => s.UsesUserfault))
                _calls.Enqueue(new VmProtocol.SetUserMemoryRegion2(slot.TurnOff()));
            if (_calls.TryDequeue(out var call))
            {
                _vm.Tell(call);
                return;
            }
        }

        if (_isVerifying || _calls.Count > 0 || !_hostIsDone || !_core.IsReadyToVerify) return;
        _isVerifying = true;
        Self.Tell(MigrationProtocol.VerifySome.Instance);
    }

    private void VerifySome()
    {
        if (_core.IsOver || WaitsForDigests()) return;
        if (_verifySlot == _slots.Count)
        {
            _core.Complete();
            AskFinalReports();
            return;
        }

        var slot = _slots[_verifySlot];
        var rest = new GfnRange(slot.Range.Start.Plus(_verifyPage), Math.Min(PagesAVerifySlice, slot.Range.Count - _verifyPage));
        var found = new VerifyResult(0, 0, 0, null);
        for (ulong i = 0; i < rest.Count; i++)
        {
            var page = rest.Start.Plus(i);
            found = slot.Bitmap.IsSet(_verifyPage + i)
                ? found.Plus(new VerifyResult(0, 1, 0, null))
                : found.Plus(_verifier.Verify(new GfnRange(page, 1)));
        }

        _verified = _verified?.Plus(found) ?? found;
        _verifyPage += rest.Count;
        if (_verifyPage == slot.Range.Count) (_verifySlot, _verifyPage) = (_verifySlot + 1, 0);
        Self.Tell(MigrationProtocol.VerifySome.Instance);
    }

    // What an image elsewhere must be comes from there; whoever has it may be away.
    private bool WaitsForDigests()
    {
        if (_plan.Content.Image is not RemoteImage { Digests.IsComplete: false })
        {
            if (_digestsAskedNs >= 0 && _core.Continue(Now)) TellProgress();
            _digestsAskedNs = -1;
            return false;
        }

        if (_digestsAskedNs < 0) _digestsAskedNs = Now;
        if (Now - _digestsAskedNs > PatienceWithDigestsNs) Pause("all pages are here, what they must be is not: no source answers");
        _plan.Time.TellAt(Now + LookForDigestsNs, Self, MigrationProtocol.VerifySome.Instance);
        return true;
    }

    private void Pause(string reason)
    {
        if (_core.Pause(reason, Now)) TellProgress();
    }

    private void Fail(string reason)
    {
        if (_core.IsOver) return;
        _core.Fail(reason);
        AskFinalReports();
    }

    private void AskFinalReports()
    {
        // A sample under way is waited for: its reports must not be taken for the last ones.
        _wantsFinal = true;
        if (_final is not null || _sample is not null) return;
        _final = new ReportCollector();
        _vm.Tell(VmProtocol.GetReports.Instance);
        _fetchers.Tell(FetcherPoolProtocol.GetReports.Instance);
    }

    private bool OnReport(object message)
    {
        if (_final is not null)
        {
            if (!_final.Take(message)) return false;
            if (!_isReported && _final.IsComplete)
            {
                foreach (var slot in _final.Slots.Where(IsOwn)) _missing[slot.Id] = slot.Missing;
                _isReported = true;
                _observer.Tell(Report(_final));
            }

            return true;
        }

        if (_sample is null || !_sample.Take(message)) return false;
        if (_sample.IsComplete)
        {
            var sample = _sample;
            _sample = null;
            OnSample(sample);
            if (_wantsFinal) AskFinalReports();
        }

        return true;
    }

    // Others may make slots in the VM as well, such as for a device that is plugged in.
    private bool IsOwn(SlotReport slot) => _missing.ContainsKey(slot.Id);

    private void OnTick()
    {
        if (_core.IsOver) return;
        if (_sample is null)
        {
            _sample = new ReportCollector();
            _vm.Tell(VmProtocol.GetSample.Instance);
            _fetchers.Tell(FetcherPoolProtocol.GetReports.Instance);
        }

        if (_plan.Settings.SampleNs > 0)
            _plan.Time.TellAt(Now + _plan.Settings.SampleNs, Self, MigrationProtocol.Tick.Instance);
    }

    private void OnSample(ReportCollector sample)
    {
        foreach (var slot in sample.Slots.Where(IsOwn)) _missing[slot.Id] = Math.Min(_missing[slot.Id], slot.Missing);
        _timeline.Add(Sample(sample));
        Thin(_timeline);
        if (_plan.Settings.ProgressNs <= 0 || Now < _nextProgressNs) return;
        _nextProgressNs = Now + _plan.Settings.ProgressNs;
        _lastProgress = Progress(sample);
        _lastProgressNs = Now;
        _observer.Tell(_lastProgress);
    }

    private TimelineSample Sample(ReportCollector reports)
    {
        var work = reports.SlotWork();
        return new TimelineSample(
            _core.ElapsedNs(Now), Pages() - Missing(), work.UserfaultExits + work.UffdSleeps,
            reports.Slots.Sum(s => s.Waiting), Strip());
    }

    // A long run keeps as many samples as a short one: every second one goes when there are too many.
    private static void Thin(List<TimelineSample> timeline)
    {
        const int most = 400;
        if (timeline.Count <= most) return;
        for (var i = timeline.Count - 2; i > 0; i -= 2) timeline.RemoveAt(i);
    }

    private void TellProgress() => _observer.Tell(Progress(null));

    private MigrationProgress Progress(ReportCollector? sample)
    {
        var present = Pages() - Missing();
        var seconds = (Now - _lastProgressNs) / 1e9;
        var last = _lastProgress;
        var latency = sample?.Latency();
        var work = sample?.SlotWork();
        return new MigrationProgress(
            _core.State, _core.Reason, _core.ElapsedNs(Now), present, Pages(),
            sample is null || seconds <= 0 ? last?.PagesPerSecond ?? 0 : (present - (last?.PagesPresent ?? 0)) / seconds,
            work is null ? last?.Faults ?? 0 : work.UserfaultExits + work.UffdSleeps,
            sample?.Slots.Sum(s => s.Waiting) ?? last?.WaitingVcpus ?? 0,
            _core.FinishedVcpus, latency?.PercentileNs(50) ?? last?.P50Ns ?? 0, latency?.PercentileNs(99) ?? last?.P99Ns ?? 0,
            Strip());
    }

    private MigrationReport Report(ReportCollector reports)
    {
        _timeline.Add(Sample(reports));
        return new MigrationReport
        {
            State = _core.State,
            Reason = _core.Reason ?? (_wrongHostReads > 0 ? $"{_wrongHostReads} host accesses read wrong content" : null),
            Settings = _plan.Settings,
            Image = _plan.Content.Image.Name,
            Workload = _plan.Workload.Name,
            Pages = Pages(),
            PagesPresent = Pages() - Missing(),
            CompletionNs = _core.CompletionNs,
            GuestNs = _core.GuestNs,
            ElapsedNs = _core.ElapsedNs(Now),
            Pauses = _core.Pauses,
            Slots = reports.SlotWork(),
            Fetches = reports.FetcherWork(),
            Fetchers = reports.Fetchers,
            Vcpus = reports.Vcpus,
            Latency = reports.Latency(),
            Verification = _verified,
            ChecksReads = _plan.Content.ChecksReads,
            IsByDigests = _plan.Content.Image is RemoteImage,
            LateWrongReads = (_plan.Content.Image as RemoteImage)?.Digests.WrongReads ?? 0,
            Timeline = _timeline,
            WorkingSet = _plan.RecordsWorkingSet ? _recorder.ToWorkingSet(_plan.Content.Image) : null,
        };
    }

    private byte[] Strip() => BitmapStrip.Of([.. _slots.Select(s => s.Bitmap)], _plan.Settings.StripCells);

    private ulong Pages() => _slots.Aggregate(0UL, (sum, slot) => sum + slot.Range.Count);

    private ulong Missing() => _missing.Values.Aggregate(0UL, (sum, missing) => sum + missing);

    private static PushOrderKind OrderOf(BackgroundOrder order) => order switch
    {
        BackgroundOrder.Outward => PushOrderKind.Outward,
        BackgroundOrder.Recorded => PushOrderKind.Recorded,
        _ => PushOrderKind.Sequential,
    };
}
