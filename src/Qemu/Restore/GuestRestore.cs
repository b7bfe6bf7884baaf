using System.Net.Sockets;
using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// The restore of one guest, over one connection after another: what was sent is known to it from one to the next. Each
/// connection is served by a thread of its own, so that guests share a machine as its scheduler has it.
/// </summary>
public sealed class GuestRestore : IDisposable
{
    private readonly GuestSource _source;
    private readonly IPageContents _contents;
    private readonly PostcopyCore _core;
    private readonly AnswerClock _clock = new();
    private readonly TimeProvider _time;
    private readonly long _madeAt;
    private readonly long _answerPatienceNs;
    private long _beganNs;
    private long _runningNs = -1;
    private long _earlierBytes;
    private PostcopySession? _session;

    /// <summary>A restore that has not begun.</summary>
    /// <param name="source">What from; the caller's.</param>
    /// <param name="settings">How.</param>
    /// <param name="recorder">Notes the pages that are requested; the caller's; null for none.</param>
    /// <param name="time">The clock.</param>
    public GuestRestore(GuestSource source, PostcopySettings settings, WorkingSetRecorder? recorder, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(time);
        (_source, _time, _madeAt) = (source, time, time.GetTimestamp());
        _answerPatienceNs = settings.AnswerPatienceNs;
        _contents = source.Open();
        if (settings.LatencyNs > 0)
            _contents = new DelayedContents(_contents, settings.LatencyNs, () => NowNs);
        _core = new PostcopyCore(source.Stream, _contents, settings) { Recorder = recorder };
    }

    /// <summary>Waits of requests, from read to written. To be read between connections.</summary>
    public LatencyHistogram Waits => _clock.Waits;

    /// <summary>
    /// Blocks that the destination has and the file has not: devices that are only there. To be read between
    /// connections.
    /// </summary>
    public IReadOnlyCollection<string> ForeignBlocks => _core.ForeignBlocks;

    /// <summary>How far it is; from any thread.</summary>
    public GuestProgress Progress =>
        new(
            _source.Stream.Pages,
            _contents.ContentPages,
            _core.Requested,
            _core.Demanded,
            _core.Pushed,
            _core.Left,
            _core.Waiting,
            _earlierBytes + (Volatile.Read(ref _session)?.SentBytes ?? 0),
            Interlocked.Read(ref _runningNs)
        );

    private long NowNs => _time.GetElapsedTime(_madeAt).Ticks * 100;

    /// <summary>Serves one connection until it ends.</summary>
    /// <param name="main">The first connection; taken over.</param>
    /// <param name="answers">The second one, of postcopy-preempt; taken over; null without it.</param>
    /// <param name="kind">What the destination waits for.</param>
    /// <param name="stop">Ends it; the guest is paused then, and can be recovered.</param>
    public Task<SessionEnd> RunAsync(Socket main, Socket? answers, SessionKind kind, CancellationToken stop)
    {
        var session = new PostcopySession(_core, _contents, main, answers, _clock, () => NowNs)
        {
            OnRunning = Running,
            AnswerPatienceNs = _answerPatienceNs,
        };
        Volatile.Write(ref _session, session);
        _beganNs = NowNs;
        var ended = new TaskCompletionSource<SessionEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Run(session, kind, ended, stop)) { IsBackground = true, Name = "qemu restore" }.Start();
        return ended.Task;
    }

    /// <inheritdoc/>
    public void Dispose() => _contents.Dispose();

    private void Run(
        PostcopySession session,
        SessionKind kind,
        TaskCompletionSource<SessionEnd> ended,
        CancellationToken stop
    )
    {
        try
        {
            SessionEnd end;
            using (session)
            using (stop.Register(session.Stop))
                end = new SessionEnd(session.Run(_source.Devices.Span, kind), session.Reason);
            _earlierBytes += session.SentBytes;
            Volatile.Write(ref _session, null);
            ended.SetResult(end);
        }
        catch (Exception e)
        {
            ended.SetException(e);
        }
    }

    private void Running() => Interlocked.CompareExchange(ref _runningNs, NowNs - _beganNs, -1);
}
