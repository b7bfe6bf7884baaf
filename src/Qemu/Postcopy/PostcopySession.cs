using System.Net.Sockets;
using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// Restores one guest over its connections, on the thread that calls <see cref="Run"/>: reads requests, and writes what
/// <see cref="PostcopyCore"/> decides whenever a channel has sent all that it had.
/// </summary>
internal sealed class PostcopySession : IDisposable
{
    private const int MaxWaitMs = 1000;
    private const long NsPerMs = 1_000_000;
    private const int MainEvent = 0;
    private const int AnswersEvent = 1;
    private const int StopEvent = 2;

    private readonly PostcopyCore _core;
    private readonly OutputChannel _main;
    private readonly OutputChannel? _answers;
    private readonly ReturnPathReader _reader;
    private readonly Epoll _epoll = new();
    private readonly EventCounter _stop = new();
    private readonly byte[] _received = new byte[64 << 10];
    private readonly TimeProvider _time;
    private readonly long _startedAt;
    private volatile bool _isStopped;
    private bool _mainWaits;
    private bool _answersWait;

    /// <summary>A session over connected sockets, which it owns.</summary>
    /// <param name="core">What to send; the caller's.</param>
    /// <param name="main">The first connection.</param>
    /// <param name="answers">The second one, of postcopy-preempt; null without it.</param>
    /// <param name="maxBitmapBytes">Bytes of the largest block's bitmap.</param>
    /// <param name="time">The clock.</param>
    public PostcopySession(PostcopyCore core, Socket main, Socket? answers, ulong maxBitmapBytes, TimeProvider time)
    {
        _core = core;
        _main = new OutputChannel(main);
        _answers = answers is null ? null : new OutputChannel(answers);
        _reader = new ReturnPathReader(maxBitmapBytes);
        (_time, _startedAt) = (time, time.GetTimestamp());
        _epoll.Watch(_main.Fd, Epoll.In, MainEvent);
        if (_answers is not null)
            _epoll.Watch(_answers.Fd, 0, AnswersEvent);
        _epoll.Watch(_stop.Fd, Epoll.In, StopEvent);
    }

    /// <summary>From the beginning to the answer that the devices are loaded, in ns; -1 before it.</summary>
    public long ResumedNs { get; private set; } = -1;

    /// <summary>What broke the connection; empty while it holds.</summary>
    public string Reason { get; private set; } = "";

    private long NowNs => _time.GetElapsedTime(_startedAt).Ticks * 100;

    /// <summary>Ends <see cref="Run"/> soon; the guest goes on with what it has. From any thread.</summary>
    public void Stop()
    {
        _isStopped = true;
        _stop.Signal();
    }

    /// <summary>Restores the guest; blocks until the end.</summary>
    /// <param name="devices">The devices' state; null to recover a guest that is paused.</param>
    public PostcopyEnd Run(byte[]? devices)
    {
        try
        {
            if (devices is null)
                _core.BeginRecovery(_main);
            else
                _core.Begin(_main, devices);
            return Serve();
        }
        catch (SocketException e)
        {
            return BrokenBy(e.Message);
        }
        catch (ReturnPathException e)
        {
            Reason = e.Message;
            return PostcopyEnd.ProtocolError;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _main.Dispose();
        _answers?.Dispose();
        _epoll.Dispose();
        _stop.Dispose();
    }

    private PostcopyEnd Serve()
    {
        while (!_isStopped)
        {
            if (!Receive())
                return BrokenBy("the destination has closed the connection");
            if (_core.Phase is PostcopyPhase.Completed)
                return PostcopyEnd.Completed;
            if (_core.Phase is PostcopyPhase.Refused)
                return PostcopyEnd.Refused;
            if (!Send())
                Wait();
        }

        return PostcopyEnd.Stopped;
    }

    // False where the other end has closed.
    private bool Receive()
    {
        int count;
        while ((count = _main.Receive(_received)) > 0)
        {
            _reader.Append(_received.AsSpan(0, count));
            while (_reader.TryRead(out var message))
                _core.OnMessage(message, _main, NowNs);
            if (ResumedNs < 0 && _core.Phase is not (PostcopyPhase.Opening or PostcopyPhase.Loading))
                ResumedNs = NowNs;
            if (count < _received.Length)
                return true;
        }

        return count < 0;
    }

    // True where a channel has taken everything, so that more may be written after another look for requests.
    private bool Send()
    {
        var isMainFree = _main.Flush();
        var areAnswersFree = _answers?.Flush() ?? true;
        if (!isMainFree && (_answers is null || !areAnswersFree))
            return false;
        return _core.TryWrite(isMainFree ? _main : null, areAnswersFree ? _answers : null, NowNs);
    }

    private void Wait()
    {
        Watch(_main, MainEvent, Epoll.In, ref _mainWaits);
        if (_answers is not null)
            Watch(_answers, AnswersEvent, 0, ref _answersWait);
        var untilPushNs = _core.PushAllowedNs - NowNs;
        var waitMs = untilPushNs > 0 ? (int)Math.Min(MaxWaitMs, (untilPushNs / NsPerMs) + 1) : MaxWaitMs;
        _ = _epoll.Wait(waitMs);
        _stop.Reset();
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
            PostcopyPhase.Completed => PostcopyEnd.Completed,
            PostcopyPhase.Opening or PostcopyPhase.Loading => PostcopyEnd.ClosedBeforeRun,
            _ => PostcopyEnd.Broken,
        };
    }
}
