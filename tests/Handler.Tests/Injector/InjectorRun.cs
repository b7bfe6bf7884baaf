using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Handler.Tests;

/// <summary>
/// One run of a pager over a model of the kernel, step by step on one thread: a guest that touches its pages, a monitor
/// that changes its memory, calls that fail, memory that runs short. Checked all along: no page shows a wrong byte, no
/// thread sleeps on a page that nobody is about to bring, and the run ends: every touch goes through, or the VM is
/// given up with a reason.
/// </summary>
internal sealed class InjectorRun : IDisposable
{
    private const ulong Base = 0x7f00_0000_0000;
    private const long MaxCalls = 200_000;
    private const int MaxSteps = 50_000;
    private static readonly (UnixSocket One, UnixSocket Other) Sockets = UnixSocket.Pair();
    private static readonly PidFd Monitor = PidFd.Open(Environment.ProcessId);

    private readonly Dice _dice;
    private readonly InjectorPlan _plan;
    private readonly HandClock _clock = new();
    private readonly long _begunNs;
    private readonly FakeKernel _kernel;
    private readonly FakeMemfd? _memfd;
    private readonly FakeMonitor _monitor;
    private readonly FakeSource _source = new();
    private readonly VmState _state;
    private readonly VmDescriptors _vm;
    private readonly PagerSettings _settings;
    private VmPager _pager;
    private PagerEnd _end;
    private bool _isStopped;
    private bool _sleeps;
    private long _wakesAtNs;
    private long _shortages;

    public InjectorRun(ulong seed, bool isTraced = false)
    {
        _dice = new Dice(seed);
        _begunNs = _clock.NowNs;
        _plan = new InjectorPlan(_dice);
        var regions = MakeRegions();
        _kernel = new FakeKernel(_dice, _plan, _clock, regions);
        if (isTraced)
            _kernel.Trace = new Queue<string>();
        _memfd = _plan.IsSecretFree ? new FakeMemfd(_kernel) : null;
        _monitor = new FakeMonitor(_dice, _plan, _kernel, _memfd);
        for (var i = 0; _memfd is not null && i < _kernel.Vcpus.Length; i += 2)
            _kernel.Vcpus[i].IsGuest = true;
        var map = new RegionMap(regions);
        _state = VmState.Create(map.PageLimit, default);
        foreach (var region in regions)
            _state.Missing.SetRange(region.Pages.Start.Value, region.Pages.Count);
        var socket = _memfd?.Theirs ?? Sockets.One;
        var file = _plan.IsFile ? new FakeMemoryFile(_kernel) : null;
        _vm = new VmDescriptors(1, _kernel, map, _state, socket, Monitor, _memfd, _kernel, file);
        _settings = new PagerSettings
        {
            ChunkPages = _plan.Chunk,
            Push = _plan.Push,
            PushPages = _plan.PushPages,
            CopyThreads = 1,
            MinBatch = 2,
            SpinNs = 0,
            StallPatienceNs = 2_000_000_000,
            Fetch = new FetchSettings { TimeoutNs = 0, Hedge = false },
            Time = _clock,
        };
        _pager = OpenPager();
        _kernel.KillsHandler = _plan.IsKilled;
    }

    /// <summary>How serving ended.</summary>
    public PagerEnd End => _end;

    /// <summary>What the run did last, where it is traced.</summary>
    public string Trace => $"{_plan.Describe()}\n{string.Join('\n', _kernel.Trace ?? [])}";

    /// <summary>What was wrong; null where nothing was.</summary>
    public string? Run()
    {
        _kernel.FaultsPerMille = _plan.FaultsPerMille;
        (_kernel.Beside, _kernel.BeforeRelease) = (_monitor.Act, _monitor.RemoveAny);
        Begin();
        for (var step = 0; step < _plan.Steps && _end == PagerEnd.None; step++)
        {
            if (Step() is { } wrong)
                return $"step {step}: {wrong}";
        }
        return Finish() ?? CheckEnd() ?? CheckNotices();
    }

    public void Dispose()
    {
        _pager.Dispose();
        _memfd?.Dispose();
        _state.Dispose();
    }

    private void Begin()
    {
        try
        {
            _pager.Begin();
        }
        catch (HandlerDied)
        {
            TakeOver();
        }
    }

    private VmPager OpenPager()
    {
        var pager = _plan.FromSource
            ? new VmPager(_vm, _settings, OpenSources())
            : new VmPager(_vm, _settings, new InjectorImage(_plan.IsMapped));
        pager.Notice = (what, _) => _shortages += what == PagerNotice.MemoryShort ? 1 : 0;
        return pager;
    }

    private SourceSet OpenSources()
    {
        var set = new SourceSet(_clock.GetTimestamp);
        set.Add(_source);
        return set;
    }

    // What the dead process had begun stays as it is; a standby has the descriptors and the shared state.
    private void TakeOver()
    {
        _pager.Dispose();
        _pager = OpenPager();
        if (_isStopped)
            _pager.Stop(handOver: false);
        _kernel.Note("a standby goes on");
        _pager.Begin();
        _sleeps = false;
    }

    private GuestRegion[] MakeRegions()
    {
        var pageBytes = _plan.Granule << Page.Shift;
        var bytes = _plan.Pages << Page.Shift;
        if (_plan.Regions == 1)
            return [new GuestRegion(Base, bytes, 0, pageBytes)];
        // The one that comes first in the file lies behind the other, and there is a gap between them.
        var first = _plan.Pages / _plan.Granule / 2 * pageBytes;
        return
        [
            new GuestRegion(Base + bytes, first, 0, pageBytes),
            new GuestRegion(Base, bytes - first - pageBytes, first + pageBytes, pageBytes),
        ];
    }

    private string? Step()
    {
        switch (_dice.Roll(10))
        {
            case < 4:
                return TouchSome();
            case < 6:
                _monitor.Act();
                return null;
            case 6:
                _clock.MoveMs(_dice.Roll(30));
                if (_plan.FromSource && _source.HasRequests)
                    AnswerSource();
                return null;
            default:
                return TurnIfAwake();
        }
    }

    private string? TouchSome()
    {
        var vcpu = _dice.Of<FakeVcpu>(_kernel.Vcpus);
        if (!vcpu.IsTouching)
            (vcpu.IsTouching, vcpu.Page, vcpu.Writes) = (true, _monitor.AnyPage(), _dice.Comes(300));
        return _monitor.Touch(vcpu);
    }

    private void AnswerSource()
    {
        _source.Answer(_dice);
        _sleeps = false;
    }

    private bool IsAwake =>
        !_sleeps
        || _memfd is { HasNews: true }
        || _kernel.HasMessages
        || (_wakesAtNs > 0 && _clock.NowNs >= _wakesAtNs);

    private string? TurnIfAwake()
    {
        if (_end != PagerEnd.None || !IsAwake)
            return null;
        _sleeps = false;
        if (_memfd is not null)
            _memfd.HasNews = false;
        _pager.Unpark();
        _kernel.Note("turn");
        try
        {
            if (!_pager.Turn(out _end) && _end == PagerEnd.None && _pager.TryPark())
            {
                _sleeps = true;
                _wakesAtNs = _pager.SleepMs is var ms and >= 0 ? _clock.NowNs + (Math.Max(1, ms) * 1_000_000L) : 0;
            }
        }
        catch (HandlerDied)
        {
            TakeOver();
        }
        _memfd?.TakeAnswers();
        _monitor.HasLetGo = _end == PagerEnd.Completed;
        return _kernel.Calls > MaxCalls ? "the handler calls the kernel without an end" : null;
    }

    // No new changes: what is under way ends, every page is looked at, and the handler lets go where it is to.
    private string? Finish()
    {
        _monitor.BeginEnd();
        _kernel.Beside = null;
        // What fails now would be undone by nobody.
        _kernel.FaultsPerMille = Math.Min(_plan.FaultsPerMille, 60);
        var pages = new Queue<ulong>(_monitor.AllPages());
        if (_plan.Stops)
            Stop();
        for (var step = 0; step < MaxSteps; step++)
        {
            // What its process descriptor says.
            if (_kernel.IsDead && _end == PagerEnd.None)
                _end = OnMonitorGone();
            if (_end is PagerEnd.Failed or PagerEnd.MonitorGone || (_kernel.IsDead && _end != PagerEnd.None))
                return null;
            var isMoving = _kernel.Balloon.Step();
            foreach (var vcpu in _kernel.Vcpus)
            {
                if (!vcpu.IsTouching && !(_plan.Stops && _end == PagerEnd.None) && pages.TryDequeue(out var page))
                    (vcpu.IsTouching, vcpu.Page, vcpu.Writes) = (true, page, false);
                isMoving |= vcpu is { IsTouching: true, Sleeps: false };
                if (_monitor.Touch(vcpu) is { } wrong)
                    return $"at the end: {wrong}";
            }
            if (_plan.FromSource && _source.HasRequests)
            {
                AnswerSource();
                isMoving = true;
            }
            if (_end == PagerEnd.None && IsAwake)
            {
                if (TurnIfAwake() is { } wrong)
                    return wrong;
                isMoving = true;
            }
            var isDone = pages.Count == 0 && _kernel.Balloon.IsIdle && !Array.Exists(_kernel.Vcpus, v => v.IsTouching);
            if (isDone && (!_plan.Stops || _end != PagerEnd.None))
                return null;
            if (isMoving)
                continue;
            if (_end != PagerEnd.None || _wakesAtNs == 0)
                return Asleep();
            _clock.MoveMs(Math.Max(1, (_wakesAtNs - _clock.NowNs) / 1_000_000));
        }
        return $"no end within {MaxSteps} steps: {Asleep()}";
    }

    // A standby finds out by itself.
    private PagerEnd OnMonitorGone()
    {
        try
        {
            return _pager.OnMonitorGone();
        }
        catch (HandlerDied)
        {
            TakeOver();
            return PagerEnd.None;
        }
    }

    private void Stop()
    {
        _isStopped = true;
        _kernel.Note("stop");
        _pager.Stop(handOver: false);
        _sleeps = false;
    }

    private string Asleep()
    {
        var sleeper = Array.Find(_kernel.Vcpus, static v => v.Sleeps);
        return sleeper is null
            ? $"the handler sleeps, {_pager.Counters.MissingPages} pages missing, stop asked for: {_isStopped}"
            : $"a thread sleeps on page {sleeper.Page} and nobody knows";
    }

    private string? CheckNotices()
    {
        // A standby says it anew.
        var max = (_plan.IsKilled ? 2 : 1) + ((_clock.NowNs - _begunNs) / 10_000_000_000);
        return _shortages > max ? $"a shortage was told {_shortages} times" : null;
    }

    private string? CheckEnd() =>
        _end switch
        {
            PagerEnd.Failed when string.IsNullOrEmpty(_pager.Reason) => "it failed, and there is no reason",
            PagerEnd.Failed when !_kernel.HasFailedForGood && !_plan.IsStuck =>
                $"it failed for nothing: {_pager.Reason}",
            PagerEnd.MonitorGone when !_kernel.IsDead => "the monitor lives, and is taken to be gone",
            PagerEnd.Completed when !_isStopped => "it completed, and nobody asked for it",
            _ => null,
        };
}
