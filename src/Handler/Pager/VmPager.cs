using Userfault.Fetch;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Serves one VM's faults from one dedicated thread: reads many messages at once, answers demand first, pushes while
/// nobody waits, looks for work for a moment before it sleeps. Where pages come from is up to its feed
/// (<see cref="PageFeed"/>), how they go in place to its placement (<see cref="Placement"/>). The thread owns all that
/// is in here.
/// </summary>
internal sealed unsafe partial class VmPager : IDisposable
{
    private readonly VmDescriptors _vm;
    private readonly PagerSettings _settings;
    private readonly PageDelivery _delivery;
    private readonly PageFeed _feed;
    private readonly MonitorSide _monitor;
    private readonly EventFd _wake = new();
    private readonly LatencyRequests _latencyRequests;
    private readonly long _begunNs;
    private MemoryRoom? _room;
    private Thread? _thread;
    private volatile StopKind _stop;

    /// <summary>A pager that serves from an image in this process.</summary>
    /// <param name="vm">The VM; not owned.</param>
    /// <param name="settings">How to work.</param>
    /// <param name="image">The image; shared with other pagers, not owned.</param>
    /// <param name="replay">A working set to push first, or null.</param>
    /// <param name="recorder">Notes the pages that were waited for, or null.</param>
    /// <param name="rest">Bytes that came glued to the handshake.</param>
    /// <param name="index">What is known of the image, or null.</param>
    public VmPager(
        VmDescriptors vm,
        PagerSettings settings,
        IMemoryImage image,
        WorkingSet? replay = null,
        WorkingSetRecorder? recorder = null,
        ReadOnlySpan<byte> rest = default,
        ImageIndex? index = null
    )
        : this(vm, settings, recorder, rest)
    {
        _feed = ImageFeed.Of(_delivery, image, index);
        _feed.Order = FirstOrder(replay);
    }

    /// <summary>A pager that fetches from page sources.</summary>
    /// <param name="vm">The VM; not owned. Pages of 4 KiB.</param>
    /// <param name="settings">How to work.</param>
    /// <param name="sources">The sources; shared with other pagers.</param>
    /// <param name="replay">A working set to push first, or null.</param>
    /// <param name="recorder">Notes the pages that were waited for, or null.</param>
    /// <param name="rest">Bytes that came glued to the handshake.</param>
    public VmPager(
        VmDescriptors vm,
        PagerSettings settings,
        SourceSet sources,
        WorkingSet? replay = null,
        WorkingSetRecorder? recorder = null,
        ReadOnlySpan<byte> rest = default
    )
        : this(vm, settings, recorder, rest)
    {
        _feed = new SourceFeed(_delivery, sources, _wake);
        _feed.Order = FirstOrder(replay);
    }

    // The feed is made by the constructor that calls this one.
    private VmPager(VmDescriptors vm, PagerSettings settings, WorkingSetRecorder? recorder, ReadOnlySpan<byte> rest)
    {
        _feed = null!;
        (_vm, _settings) = (vm, settings);
        _monitor = MonitorSide.Of(vm, rest);
        _delivery = new PageDelivery(vm, settings, _monitor, recorder);
        _begunNs = _delivery.NowNs;
        _latencyRequests = new LatencyRequests(_delivery.Faults.Latency, _wake.Signal);
        _serve = OnRequest;
    }

    /// <summary>What it did so far.</summary>
    public PagerCounters Counters => _delivery.Counters;

    /// <summary>Why it could not go on; null unless <see cref="Run"/> answered <see cref="PagerEnd.Failed"/>.</summary>
    public string? Reason => _delivery.Reason;

    /// <summary>From the pager's beginning to the last page in place, in ns; -1 while pages are missing.</summary>
    public long CompleteNs { get; private set; } = -1;

    /// <summary>Bytes that the thread allocated while it served, managed.</summary>
    public long AllocatedBytes { get; private set; }

    /// <summary>
    /// Waits of faults so far, from message read to page in place; blocks until the thread has copied them.
    /// </summary>
    public LatencyHistogram Latency()
    {
        if (_thread is not null && Thread.CurrentThread != _thread)
            return _latencyRequests.Ask();
        var copy = new LatencyHistogram();
        copy.Add(_delivery.Faults.Latency);
        return copy;
    }

    /// <summary>Asks it to stop: with every page in place first, or at once, for a standby to go on.</summary>
    /// <param name="handOver">Stop at once?</param>
    public void Stop(bool handOver)
    {
        _stop = handOver ? StopKind.HandOver : StopKind.Complete;
        _latencyRequests.WhileOpen(_wake.Signal);
    }

    /// <summary>
    /// Brings only pages that are waited for while its monitor's cgroup is short of memory; before <see cref="Run"/>.
    /// </summary>
    /// <param name="memory">The cgroup.</param>
    /// <param name="say">Takes the line that says so, once.</param>
    public void Spare(CgroupMemory memory, Action<string> say) =>
        _room = new MemoryRoom(memory, Counters, say, () => _latencyRequests.WhileOpen(_wake.Signal));

    /// <summary>Serves until the end. Blocks: on a thread of its own.</summary>
    public PagerEnd Run()
    {
        _thread = Thread.CurrentThread;
        _ = Scheduling.TakeShortTurns();
        try
        {
            Begin();
            var before = GC.GetAllocatedBytesForCurrentThread();
            var end = Serve();
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - before;
            return end;
        }
        catch (Exception e) when (e is ProtocolException or LinuxException)
        {
            return _delivery.Fail(e.Message);
        }
        catch (Exception e)
        {
            // Unforeseen, and still this VM's trouble alone: the process serves others.
            return _delivery.Fail($"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
        finally
        {
            _latencyRequests.Close();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _room?.Dispose();
        _latencyRequests.Drain();
        _feed.Dispose();
        _delivery.Dispose();
        _wake.Dispose();
    }

    /// <summary>Is told of what happens to the VM while it is served. Called on the pager's thread.</summary>
    public Action<PagerNotice, string> Notice
    {
        set => _delivery.Notice = value;
    }

    /// <summary>How long it may sleep at most after a turn that found nothing to do, in ms; -1 for ever.</summary>
    internal int SleepMs
    {
        get
        {
            var ms = _delivery.Deferred.Count > 0 ? _delivery.StallPollMs : _feed.SleepMs;
            return ms < 0 && (_isMonitorGone || _isReleasing) ? OwnerPollMs : ms;
        }
    }

    /// <summary>Takes up what another process left half done.</summary>
    internal void Begin()
    {
        TakeLeftEvents();
        TakeLeftPlacing();
        // Faults that it read and never answered are reported anew.
        WakeAll();
        _monitor.ServeAgain(_serve);
    }

    /// <summary>One turn of the loop, which never sleeps.</summary>
    /// <param name="end">How serving ended; none while it goes on.</param>
    /// <returns>Was there anything to do?</returns>
    internal bool Turn(out PagerEnd end)
    {
        if (_room is not null && _room.Look())
            OnRoom(_room.IsShort);
        BeginCompleting();
        var isBusy = _delivery.End == PagerEnd.None && TakeMessages();
        if (_delivery.Deferred.Count > 0 && _delivery.End == PagerEnd.None)
            isBusy |= RetryDeferred();
        isBusy |= _monitor.Take(_serve);
        isBusy |= _feed.Work();
        if (!isBusy && _delivery.Deferred.Count == 0)
            isBusy = _feed.TryPush();
        _delivery.LookForShortage();
        end = _delivery.End;
        if (end != PagerEnd.None)
            return isBusy;
        if (CompleteNs < 0 && IsComplete)
            CompleteNs = _delivery.NowNs - _begunNs;
        end = EndWhenAsked(isBusy);
        LookForStall();
        return isBusy;
    }

    /// <summary>The thread is about to sleep: true where nothing arrived meanwhile.</summary>
    internal bool TryPark() => _feed.TryPark();

    /// <summary>It woke up.</summary>
    internal void Unpark() => _feed.Unpark();

    private PagerEnd Serve()
    {
        var idleSince = 0L;
        while (true)
        {
            var isBusy = Turn(out var end);
            if (end != PagerEnd.None)
                return end;
            if (isBusy)
            {
                idleSince = 0;
                continue;
            }
            var now = _delivery.NowNs;
            if (idleSince == 0)
                idleSince = now;
            // No yield here: whoever else wants this processor would keep it for a whole turn.
            if (now - idleSince < _settings.SpinNs)
                continue;
            if (Sleep() is var over and not PagerEnd.None)
                return over;
            idleSince = 0;
        }
    }

    private void OnRoom(bool isShort)
    {
        _feed.IsHeld = isShort;
        _delivery.Placement.Narrow(_settings.ChunkPages, isAlone: isShort);
    }

    // Everything that can wake: a fault or event, an answer, the monitor's end by its process or its socket, a request
    // of another thread.
    private PagerEnd Sleep()
    {
        // A process closes its sockets a moment before it ends. One that lives on still has its guest's faults
        // answered.
        if (
            _monitor.IsClosed
            && IsComplete
            && _delivery.Deferred.Count == 0
            && Release(PagerEnd.MonitorGone) is var over and not PagerEnd.None
        )
        {
            return over;
        }
        if (!TryPark())
            return PagerEnd.None;
        var fds = stackalloc PollFd[4];
        fds[0] = new PollFd(_vm.Uffd.Fd.Number, Libc.POLLIN);
        fds[1] = new PollFd(_wake.Fd.Number, Libc.POLLIN);
        fds[2] = new PollFd(_isMonitorGone ? -1 : _vm.Monitor.Fd.Number, Libc.POLLIN);
        fds[3] = new PollFd(_monitor.IsClosed ? -1 : _vm.Socket.Fd.Number, _monitor.Events);
        _ = Libc.Poll(fds, 4, SleepMs);
        Unpark();
        if (fds[1].Returned != 0)
            _wake.Reset();
        if ((_isMonitorGone || fds[2].Returned != 0) && OnMonitorGone() is var gone and not PagerEnd.None)
            return gone;
        if (fds[3].Returned != 0)
            _monitor.OnReady(fds[3].Returned, _delivery.IsInPlace, _serve);
        return PagerEnd.None;
    }

    private PushOrder? FirstOrder(WorkingSet? replay)
    {
        if (replay is not null)
        {
            return PushOrder.Create(
                PushOrderKind.Recorded,
                _delivery.Claims,
                replay,
                recordedAlone: _settings.Push is null
            );
        }
        return _settings.Push is { } kind ? PushOrder.Create(kind, _delivery.Claims) : null;
    }

    private void WakeAll()
    {
        foreach (var region in _vm.Map.Regions)
            _ = _delivery.Settle(_delivery.Placement.WakeAll(region));
    }

    private enum StopKind
    {
        None,
        Complete,
        HandOver,
    }
}
