using System.Net.Sockets;
using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// One connection's time of a restore, on the thread that calls <see cref="Run"/>: reads requests, and writes what
/// <see cref="PostcopyCore"/> decides whenever a channel has sent all that it had.
/// </summary>
internal sealed class PostcopySession : IDisposable
{
    // What is appended of answers before the socket is asked to take it: a little, so that requests are looked at.
    private const int MaxGatheredBytes = 64 << 10;
    private const string Closed = "the destination has closed the connection";
    private const string Unheard =
        "the destination says nothing: QEMU is stopped, or has postcopy-preempt and waits for a second connection "
        + "(--preempt)";

    private const int MaxWaitMs = 1000;
    private const long NsPerMs = 1_000_000;
    private const int MainEvent = 0;
    private const int AnswersEvent = 1;
    private const int WakeEvent = 2;

    private readonly PostcopyCore _core;
    private readonly IPageContents _contents;
    private readonly OutputChannel _main;
    private readonly OutputChannel? _answers;
    private readonly ReturnPathReader _reader;
    private readonly AnswerClock _clock;
    private readonly Func<long> _nowNs;
    private readonly Epoll _epoll = new();
    private readonly EventCounter _wake = new();
    private readonly byte[] _received = new byte[64 << 10];
    private volatile bool _isStopped;
    private bool _isHeard;
    private long _beganNs;
    private bool _mainWaits;
    private bool _answersWait;

    /// <summary>A session over connected sockets, which it owns.</summary>
    /// <param name="core">What to send; the caller's.</param>
    /// <param name="contents">Where contents come from; the caller's.</param>
    /// <param name="main">The first connection.</param>
    /// <param name="answers">The second one, of postcopy-preempt; null without it.</param>
    /// <param name="clock">Measures answers; the caller's.</param>
    /// <param name="nowNs">The time.</param>
    public PostcopySession(
        PostcopyCore core,
        IPageContents contents,
        Socket main,
        Socket? answers,
        AnswerClock clock,
        Func<long> nowNs
    )
    {
        (_core, _contents, _clock, _nowNs) = (core, contents, clock, nowNs);
        _main = new OutputChannel(main);
        _answers = answers is null ? null : new OutputChannel(answers);
        _reader = new ReturnPathReader(core.MaxBitmapBytes);
        _epoll.Watch(_main.Fd, Epoll.In, MainEvent);
        if (_answers is not null)
            _epoll.Watch(_answers.Fd, 0, AnswersEvent);
        _epoll.Watch(_wake.Fd, Epoll.In, WakeEvent);
        if (_answers is { } channel)
            core.AreAnswersRead = () => channel.IsRead;
        contents.WakeOn(_wake.Signal);
    }

    /// <summary>What ended the session, in one line; empty where it ended well.</summary>
    public string Reason { get; private set; } = "";

    /// <summary>Called, on this thread, when the destination has loaded its devices, or takes pages again.</summary>
    public Action? OnRunning { get; init; }

    /// <summary>How long the destination may say nothing at first, in ns.</summary>
    public long AnswerPatienceNs { get; init; } = long.MaxValue;

    /// <summary>Bytes that the sockets took.</summary>
    public long SentBytes => _main.Sent + (_answers?.Sent ?? 0);

    /// <summary>Ends <see cref="Run"/> soon; the guest goes on with what it has. From any thread.</summary>
    public void Stop()
    {
        _isStopped = true;
        _wake.Signal();
    }

    /// <summary>Restores the guest; blocks until the end.</summary>
    /// <param name="devices">The devices' state; ignored in a recovery.</param>
    /// <param name="kind">A guest that has not begun, or one that is paused.</param>
    public PostcopyEnd Run(ReadOnlySpan<byte> devices, SessionKind kind)
    {
        _beganNs = _nowNs();
        try
        {
            if (kind == SessionKind.Recovery)
                _core.BeginRecovery(_main);
            else
                _core.Begin(_main, devices, _nowNs());
            return Serve();
        }
        catch (SocketException e)
        {
            return BrokenBy(
                e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown ? Closed : e.Message
            );
        }
        catch (ReturnPathException e)
        {
            Reason = $"the destination breaks the protocol: {e.Message}";
            return PostcopyEnd.ProtocolError;
        }
        finally
        {
            _clock.Forget();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _contents.WakeOn(static () => { });
        _main.Dispose();
        _answers?.Dispose();
        _epoll.Dispose();
        _wake.Dispose();
    }

    private PostcopyEnd Serve()
    {
        while (!_isStopped)
        {
            if (!Receive())
                return BrokenBy(Closed);
            if (_core.Phase is PostcopyPhase.Completed)
                return Completed();
            if (!_isHeard && _nowNs() - _beganNs >= AnswerPatienceNs)
                return BrokenBy(Unheard);
            if (_core.Phase is PostcopyPhase.Refused)
            {
                Reason = "the destination says that the migration has failed";
                return PostcopyEnd.Refused;
            }

            if (_contents.Problem is { } problem)
            {
                Reason = problem;
                return _contents.ProblemEnd;
            }

            while (_contents.TryTakeArrived(_nowNs(), out var page))
                _core.OnArrived(page);
            if (!Send())
                Wait();
        }

        Reason = "stopped";
        return PostcopyEnd.Stopped;
    }

    private PostcopyEnd Completed()
    {
        if (_contents.FinalProblem is not { } problem)
            return PostcopyEnd.Completed;
        Reason = problem;
        return _contents.ProblemEnd;
    }

    // False where the other end has closed.
    private bool Receive()
    {
        int count;
        do
        {
            count = _main.Receive(_received);
            if (count <= 0)
                return count < 0;
            _isHeard = true;
            _reader.Append(_received.AsSpan(0, count));
            while (_reader.TryRead(out var message))
            {
                var didRun = _core.Phase == PostcopyPhase.Running;
                _core.OnMessage(message, _main, _nowNs());
                if (!didRun && _core.Phase == PostcopyPhase.Running)
                    OnRunning?.Invoke();
            }
        } while (count == _received.Length);
        return true;
    }

    // True where there may be more to do at once: what was appended goes out after another look for requests.
    private bool Send()
    {
        // In this order: when QEMU 10.0 has read the end of the main channel, it closes both and does not wait for EOS.
        var answers = _answers is not null && Flush(_answers) ? _answers : null;
        var main = Flush(_main) ? _main : null;
        if (main is null && answers is null)
            return false;
        var onAnswers = _answers ?? _main;
        while (true)
        {
            var written = _core.TryWrite(main, answers, _nowNs());
            if (written.Kind == WrittenKind.Answer)
                _clock.Appended(onAnswers.Sent + onAnswers.Pending, written.RequestedNs);
            if (written.Kind != WrittenKind.Answer || onAnswers.Pending >= MaxGatheredBytes)
                return written.Kind != WrittenKind.Nothing || HasUnsent(main) || HasUnsent(answers);
        }
    }

    private static bool HasUnsent(OutputChannel? channel) => channel is { Pending: > 0 };

    private bool Flush(OutputChannel channel)
    {
        if (channel.Pending == 0)
            return true;
        var isFree = channel.Flush();
        if (channel == (_answers ?? _main))
            _clock.Sent(channel.Sent, _nowNs());
        return isFree;
    }

    private void Wait()
    {
        Watch(_main, MainEvent, Epoll.In, ref _mainWaits);
        if (_answers is not null)
            Watch(_answers, AnswersEvent, 0, ref _answersWait);
        var now = _nowNs();
        var next = Math.Min(_contents.NextArrivalNs, _core.NextPushNs > now ? _core.NextPushNs : long.MaxValue);
        // A push may be a millisecond late; a page whose latency is over may not: the last of it is spent looking.
        var waitMs = (int)Math.Clamp((next - now) / NsPerMs, 0, MaxWaitMs);
        if (next == _core.NextPushNs)
            waitMs++;
        _ = _epoll.Wait(waitMs);
        _wake.Reset();
    }

    private void Watch(OutputChannel channel, int data, uint always, ref bool waits)
    {
        if (channel.Pending > 0 == waits)
            return;
        waits = !waits;
        _epoll.Change(channel.Fd, waits ? always | Epoll.Out : always, data);
    }

    private PostcopyEnd BrokenBy(string reason)
    {
        Reason = reason;
        return _core.Phase switch
        {
            PostcopyPhase.Completed => Completed(),
            PostcopyPhase.Opening or PostcopyPhase.Loading => PostcopyEnd.ClosedBeforeRun,
            _ => PostcopyEnd.Broken,
        };
    }
}
