using System.Diagnostics;
using Userfault.Linux;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// One stand-in guest: hands its memory over, touches it, gives parts of it back, and checks every page.
/// </summary>
internal sealed class GuestRun : IDisposable
{
    private const int BalloonSteps = 16;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private readonly IWorkload _workload;
    private readonly IMemoryImage _image;
    private readonly UnixSocket _socket;
    private readonly Toucher[] _touchers;
    private readonly GuestRunSettings _settings;
    private readonly long _begun;
    private volatile int _balloonStepsDone;

    /// <summary>Hands the memory over.</summary>
    /// <param name="socket">To the handler; owned.</param>
    /// <param name="memory">Guest memory; owned.</param>
    /// <param name="image">What memory must hold.</param>
    /// <param name="workload">What is touched.</param>
    /// <param name="settings">What else is done.</param>
    /// <exception cref="LinuxException">The handler does not take it.</exception>
    public GuestRun(
        UnixSocket socket,
        GuestMemory memory,
        IMemoryImage image,
        IWorkload workload,
        GuestRunSettings settings
    )
    {
        (_socket, Memory, _image, _workload, _settings) = (socket, memory, image, workload, settings);
        Stamps = new GuestStamps(workload.Vcpus, memory.Pages);
        _touchers = [.. Enumerable.Range(0, workload.Vcpus).Select(i => new Toucher(i, this, workload.Open(i)))];
        memory.HandOver(socket);
        if (memory.Bitmap is not null)
            Channel = new FaultChannel(socket, workload.Vcpus);
        _begun = Stopwatch.GetTimestamp();
    }

    public GuestMemory Memory { get; }

    public GuestStamps Stamps { get; }

    public FaultChannel? Channel { get; }

    /// <summary>Where the touchers wait; null for nowhere.</summary>
    public GuestPause? Pause => _settings.Pause;

    /// <summary>Is everybody to stop?</summary>
    public volatile bool IsOver;

    /// <summary>Does the page lie where memory is given back? The guest writes nothing there.</summary>
    public bool IsBallooned(Gfn gfn) => gfn.Value >= Memory.Pages - _settings.BalloonPages;

    /// <summary>Does this access go through the monitor's mapping (secret-free form)?</summary>
    public bool IsDeviceAccess(int toucher, Gfn gfn) =>
        (GuestStamps.Mix((ulong)toucher + 31, gfn.Value) >> 11) / (double)(1UL << 53) < _settings.DeviceShare;

    /// <summary>Touches, balloons, verifies.</summary>
    /// <param name="cancelled">Ctrl-C.</param>
    public GuestReport Run(CancellationToken cancelled)
    {
        foreach (var toucher in _touchers)
            toucher.Start();
        var balloon = new Thread(GiveBack) { IsBackground = true, Name = "balloon" };
        balloon.Start();
        if (!Wait(() => _touchers.All(t => t.HasEnded) && !balloon.IsAlive, Progress, cancelled))
            return Report(null, cancelled);
        var touchedNs = Elapsed;
        if (!_settings.ChecksEveryPage)
            return Report(null, cancelled, touchedNs);
        var verifier = new GuestVerification(this, _image);
        return Wait(() => verifier.HasEnded, () => verifier.Checked, cancelled)
            ? Report(verifier, cancelled, touchedNs)
            : Report(null, cancelled, touchedNs);
    }

    public void Dispose()
    {
        IsOver = true;
        Channel?.Dispose();
        Stamps.Dispose();
        _socket.Dispose();
        Memory.Dispose();
    }

    /// <summary>What gave way; null while nothing did.</summary>
    private string? _problem;

    private long Elapsed => (long)Stopwatch.GetElapsedTime(_begun).TotalNanoseconds;

    private long Progress() => _touchers.Sum(t => t.Touches) + _balloonStepsDone;

    // Threads that sleep on a page cannot be waited for by joining them: what counts is whether anything moves.
    private bool Wait(Func<bool> isDone, Func<long> progress, CancellationToken cancelled)
    {
        using var tick = new ManualResetEventSlim();
        var (last, since) = (progress(), Stopwatch.GetTimestamp());
        while (!isDone())
        {
            tick.Wait(Look, CancellationToken.None);
            if (cancelled.IsCancellationRequested)
                return false;
            if (Channel?.Broken is { } broken)
            {
                _problem = broken;
                return false;
            }
            if (_settings.HandlerProblem?.Invoke() is { } gone)
            {
                _problem = gone;
                return false;
            }
            if (progress() is var now && (now != last || Pause is { IsHeld: true }))
            {
                (last, since) = (now, Stopwatch.GetTimestamp());
            }
            else if (Stopwatch.GetElapsedTime(since) > _settings.Patience)
            {
                _problem = $"nothing moved for {_settings.Patience.TotalSeconds:0.#} s: the handler does not serve";
                return false;
            }
        }
        return true;
    }

    // In steps, spread over the guest's run: after each share of its touches.
    private void GiveBack()
    {
        if (_settings.BalloonPages == 0)
            return;
        var total = Enumerable.Range(0, _workload.Vcpus).Sum(i => (long)_workload.Open(i).Count);
        var first = Memory.Pages - _settings.BalloonPages;
        for (ulong step = 0; step < BalloonSteps && !IsOver; step++)
        {
            while (!IsOver && _touchers.Sum(t => t.Touches) < total * (long)step / BalloonSteps)
                NativeTouch.Sleep(100);
            var from = first + BalloonAt(step);
            var to = first + BalloonAt(step + 1);
            if (to > from)
                Memory.Discard(new GfnRange(new Gfn(from), to - from));
            _balloonStepsDone++;
        }
    }

    private ulong BalloonAt(ulong step) =>
        _settings.BalloonPages * step / BalloonSteps / Memory.Granule * Memory.Granule;

    private GuestReport Report(GuestVerification? verification, CancellationToken cancelled, long touchedNs = -1)
    {
        var latency = new LatencyHistogram();
        foreach (var toucher in _touchers.Where(t => t.HasEnded))
            latency.Add(toucher.Latency);
        return new GuestReport
        {
            Pages = Memory.Pages,
            Touchers = _workload.Vcpus,
            Workload = _workload.Name,
            Touches = _touchers.Sum(t => t.Touches),
            TouchedNs = touchedNs,
            ElapsedNs = Elapsed,
            Latency = latency,
            BalloonPages = _settings.BalloonPages,
            Requests = Channel?.Requests ?? 0,
            RepeatedAnswers = Channel?.Repeated ?? 0,
            Checked = verification?.Checked ?? 0,
            Wrong = verification?.Wrong ?? 0,
            FirstWrong = verification?.FirstWrong,
            Problem = _problem ?? (cancelled.IsCancellationRequested ? "stopped by Ctrl-C" : null),
            Collections = GcStress.Collections,
            Vcpus =
            [
                .. _touchers.Select(t => new GuestVcpu(t.ThreadId, t.HasEnded ? t.Latency : new LatencyHistogram())),
            ],
            Form = Memory.Form,
        };
    }
}
