using System.Diagnostics;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>
/// Serves one VM's faults from one dedicated thread: reads many messages at once, answers demand first, pushes while
/// nobody waits, looks for work for a moment before it sleeps. With a local image nothing is allocated once it runs, so
/// that no collection ever stands between a guest and its page. The thread owns all that is in here.
/// </summary>
public sealed unsafe partial class VmPager : IDisposable
{
    private const int MostRunsAtOnce = 64;
    private const int ChangingPollMs = 1;
    private const int StarvedPollMs = 20;

    private readonly VmDescriptors _vm;
    private readonly PagerSettings _settings;
    private readonly IMemoryImage? _image;
    private readonly ImageRuns? _runs;
    private readonly Fetches? _fetches;
    private readonly Placer _placer;
    private readonly PageClaims _claims;
    private readonly WorkingSetRecorder? _recorder;
    private readonly WaitBook _waits = new();
    private readonly EventFd _wake = new();
    private readonly MonitorSide _monitor;
    private readonly ulong _granule;
    private readonly long _begunNs = NowNs;
    private PushOrder? _order;
    private bool _mayPush = true;
    private bool _isChanging;
    private bool _isCompleting;
    private volatile StopKind _stop;
    private readonly LatencyDesk _desk;

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
        : this(vm, settings, replay, recorder, rest)
    {
        _image = image;
        _runs = new ImageRuns(image, Math.Max(Math.Max(settings.PushPages, settings.ChunkPages), _granule), index);
        _servesChunks = settings.ChunkPages > 1 && _granule == 1 && vm.Memfd is null;
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
        : this(vm, settings, replay, recorder, rest)
    {
        if (_granule > 1)
        {
            throw new ProtocolException(
                "huge pages are served from a local image alone: use --image, or guest memory of 4 KiB pages"
            );
        }

        _fetches = new Fetches(sources, settings.Fetch, _wake, Counters);
    }

    private VmPager(
        VmDescriptors vm,
        PagerSettings settings,
        WorkingSet? replay,
        WorkingSetRecorder? recorder,
        ReadOnlySpan<byte> rest
    )
    {
        ArgumentNullException.ThrowIfNull(vm);
        ArgumentNullException.ThrowIfNull(settings);
        (_vm, _settings, _recorder) = (vm, settings, recorder);
        _granule = vm.Map.PagesPerGranule;
        _placer = new Placer(vm.Uffd, vm.Map, vm.State, Counters, vm.Memfd, settings);
        _claims = new PageClaims(new MemoryPageRange(new MemoryPage(0), vm.Map.PageLimit), vm.State.Missing);
        _monitor = OpenMonitorSide(vm, rest);
        if (replay is not null)
            _order = PushOrder.Create(PushOrderKind.Recorded, _claims, replay, recordedAlone: settings.Push is null);
        else if (settings.Push is { } kind)
            _order = PushOrder.Create(kind, _claims);
        _desk = new LatencyDesk(_waits.Latency, _wake.Signal);
        _serve = OnRequest;
        _isInPlace = IsInPlace;
        _onPiece = OnPiece;
        Counters.SetMissing(vm.State.Missing.Count());
    }

    /// <summary>What it did so far.</summary>
    public PagerCounters Counters { get; } = new();

    /// <summary>Why it could not go on; null unless <see cref="Run"/> answered <see cref="PagerEnd.Failed"/>.</summary>
    public string? Reason { get; private set; }

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
            return _desk.Ask();
        var copy = new LatencyHistogram();
        copy.Add(_waits.Latency);
        return copy;
    }

    /// <summary>Asks it to stop: with every page in place first, or at once, for a standby to go on.</summary>
    /// <param name="handOver">Stop at once?</param>
    public void Stop(bool handOver)
    {
        _stop = handOver ? StopKind.HandOver : StopKind.Complete;
        _desk.WhileOpen(_wake.Signal);
    }

    /// <summary>Serves until the end. Blocks: on a thread of its own.</summary>
    public PagerEnd Run()
    {
        _thread = Thread.CurrentThread;
        _ = Scheduling.TakeShortTurns();
        try
        {
            // What another process left half done. Faults that it read and never answered are reported anew.
            TakeLeftEvents();
            TakeLeftPlacing();
            WakeAll();
            _monitor.ServeAgain(_serve);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var end = Serve();
            AllocatedBytes = GC.GetAllocatedBytesForCurrentThread() - before;
            return end;
        }
        catch (Exception e) when (e is ProtocolException or LinuxException)
        {
            return Fail(e.Message);
        }
        catch (Exception e)
        {
            // Nobody foresaw it, and still it is this VM's alone: the process serves others.
            return Fail($"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
        finally
        {
            _desk.Close();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _desk.Drain();
        _fetches?.Dispose();
        while (_held.TryDequeue(out var held))
            held.Batch.Release();
        _placer.Dispose();
        _claims.Dispose();
        _runs?.Dispose();
        _wake.Dispose();
    }

    private Thread? _thread;

    private static long NowNs => Stopwatch.GetTimestamp();

    private bool IsComplete => Counters.MissingPages == 0;

    private PagerEnd Serve()
    {
        var idleSince = 0L;
        while (true)
        {
            BeginCompleting();
            var isBusy = TakeMessages();
            if (_deferredCount > 0)
                isBusy |= RetryDeferred();
            if (_vm.Memfd is not null)
                isBusy |= _monitor.Take(_serve);
            if (_fetches is not null)
                isBusy |= Fetch();
            if (!isBusy && _deferredCount == 0)
                isBusy = PushSome();
            if (_end != PagerEnd.None)
                return _end;
            if (CompleteNs < 0 && IsComplete)
                CompleteNs = NowNs - _begunNs;
            if (EndWhenAsked() is var end and not PagerEnd.None)
                return end;
            if (isBusy)
            {
                idleSince = 0;
                continue;
            }
            var now = NowNs;
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

    // What the guest has just come to wait for is asked for before what has arrived is put in place.
    private bool Fetch()
    {
        var nowNs = NowNs;
        _fetches!.Go(nowNs);
        _fetches.Tick(nowNs);
        return TakeArrivals();
    }

    // Before the loop looks for work, so that it does not sleep on what it has just been given to do.
    private void BeginCompleting()
    {
        if (_stop != StopKind.Complete || _isCompleting)
            return;
        _isCompleting = true;
        _order = PushOrder.Create(PushOrderKind.Sequential, _claims);
        _mayPush = true;
    }

    private PagerEnd EndWhenAsked()
    {
        _desk.Look();
        switch (_stop)
        {
            case StopKind.HandOver:
                return PagerEnd.HandedOver;
            case StopKind.Complete when IsComplete && _deferredCount == 0:
                UnregisterAll();
                return PagerEnd.Completed;
        }
        if (_fetches is { IsStarved: true } && _fetches.LostForNs > _settings.SourcePatienceNs)
            return Fail($"no page source for {_settings.SourcePatienceNs / 1_000_000_000.0:0.#} s");
        return PagerEnd.None;
    }

    // Everything that can wake: a fault or event, an answer, the monitor's end by its process or its socket, a wish of
    // others.
    private PagerEnd Sleep()
    {
        // A process closes its sockets a moment before it ends. One that lives on still has its guest's faults
        // answered.
        if (_monitor.IsClosed && IsComplete)
        {
            UnregisterAll();
            return PagerEnd.MonitorGone;
        }
        if (_fetches is not null && !_fetches.Park())
            return PagerEnd.None;
        var fds = stackalloc PollFd[4];
        fds[0] = new PollFd(_vm.Uffd.Fd.Number, Libc.POLLIN);
        fds[1] = new PollFd(_wake.Fd.Number, Libc.POLLIN);
        fds[2] = new PollFd(_vm.Monitor.Fd.Number, Libc.POLLIN);
        fds[3] = new PollFd(_monitor.IsClosed ? -1 : _vm.Socket.Fd.Number, _monitor.Events);
        var timeoutMs =
            _deferredCount > 0 || _isChanging || _held.Count > 0 ? ChangingPollMs
            : _fetches is { IsStarved: true } ? StarvedPollMs
            : _fetches?.SleepMs ?? -1;
        _ = Libc.Poll(fds, 4, timeoutMs);
        _isChanging = false;
        _fetches?.Unpark();
        if (fds[1].Returned != 0)
            _wake.Reset();
        if (fds[2].Returned != 0)
            return PagerEnd.MonitorGone;
        if (fds[3].Returned != 0)
        {
            _monitor.Answer(_isInPlace);
            if (_vm.Memfd is null || (fds[3].Returned & Libc.POLLHUP) != 0)
                _ = _monitor.Take(_serve);
        }
        return PagerEnd.None;
    }

    private static MonitorSide OpenMonitorSide(VmDescriptors vm, ReadOnlySpan<byte> rest)
    {
        if (vm.Memfd is null)
            return new MonitorSide(vm.Socket, null, null);
        var stream = vm.State.OpenStream();
        rest.CopyTo(stream.Room);
        stream.Fill(rest.Length);
        return new MonitorSide(vm.Socket, stream, vm.State.OpenRequests());
    }

    private void WakeAll()
    {
        foreach (var region in _vm.Map.Regions)
            _ = _vm.Uffd.Wake(region.Start, region.Bytes);
    }

    // From here on the kernel alone gives the guest what it gave back: zeros.
    private void UnregisterAll()
    {
        foreach (var region in _vm.Map.Regions)
            _ = _vm.Uffd.Unregister(region.Start, region.Bytes);
    }

    private PagerEnd Fail(string reason)
    {
        Reason = reason;
        return _end = PagerEnd.Failed;
    }

    // Takes a result to where the loop sees it; true where the pages are in place.
    private bool Settle(PlaceResult result)
    {
        if (result == PlaceResult.Gone)
            _end = PagerEnd.MonitorGone;
        if (result == PlaceResult.Failed)
        {
            Fail(
                _placer.Error == LinuxErrno.EFAULT
                    ? "EFAULT: the image cannot be read; was its file cut short?"
                    : $"pages cannot be put in place: {_placer.Error}"
            );
        }
        return result == PlaceResult.Done;
    }

    private enum StopKind
    {
        None,
        Complete,
        HandOver,
    }
}
