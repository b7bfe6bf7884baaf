using System.Net.Sockets;
using System.Security.Authentication;
using Userfault.Linux;
using Userfault.Pages;

namespace Userfault.DataPlane;

// The work of the thread that receives, from connecting to the end of the connection.
public sealed partial class PageClient
{
    /// <summary>The handshake is complete.</summary>
    internal void Open(ClientHandshake handshake)
    {
        lock (_lock)
        {
            (var requests, var pages, var requestPages) = handshake.Bounds();
            _pending.Open(requests, pages, requestPages);
            _watch.Open(handshake.Welcome!, NowMs);
            Volatile.Write(ref _welcome, handshake.Welcome);
        }
        _owner.OnOpened(this);
    }

    /// <summary>Appends bytes to send that do not belong to a request.</summary>
    internal void Append(ReadOnlySpan<byte> frame)
    {
        lock (_lock)
        {
            _sender.Output.Append(frame);
        }
    }

    /// <summary><paramref name="bytes"/> bytes have arrived.</summary>
    internal void Heard(int bytes)
    {
        Counters.CountBytes(bytes);
        // The clock is read once per receive call: reading it costs as much as the rest of the work per page.
        _receivedMs = NowMs;
        _watch.Heard(_receivedMs);
    }

    /// <summary>Checks a page frame against the requests.</summary>
    internal bool TryTake(FrameHeader header, in PageRecord record, out ClientRequest? request, out bool isLast)
    {
        lock (_lock)
        {
            return _pending.TryTake(header, record, _receivedMs, out request, out isLast);
        }
    }

    /// <summary>
    /// Delivers the pages of received frames to a request's sink. If the request was ended during the delivery, its
    /// failure follows.
    /// </summary>
    internal void Deliver(ClientRequest request, PageBatch batch)
    {
        var id = request.Id;
        var sink = request.Sink;
        sink.OnPages(batch);
        FetchFailure? failure;
        lock (_lock)
        {
            failure = _pending.Delivered(request);
        }
        if (failure is FetchFailure known)
        {
            sink.OnFailed(id, known);
        }
    }

    /// <summary>All received frames have been processed: sends the requests that the bounds now permit.</summary>
    internal void EndOfFrames()
    {
        lock (_lock)
        {
            SendWhatMayGo(_receivedMs);
        }
        Flush(isLast: true);
    }

    /// <summary>The server has ended a request early.</summary>
    internal void Fail(ClientRequest request, FetchFailure failure)
    {
        var id = request.Id;
        ClientRequest? ended;
        lock (_lock)
        {
            ended = _pending.Fail(request, failure);
        }
        ended?.Sink.OnFailed(id, failure);
    }

    /// <summary>Processes a list frame; returns None, or why it is refused.</summary>
    internal RefusalReason TakeSources(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        RefusalReason reason;
        Action? answer;
        bool askAgain;
        lock (_lock)
        {
            reason = _listings.Take(header, payload, out answer, out askAgain);
            if (askAgain)
            {
                _sender.Output.AppendList();
            }
        }
        answer?.Invoke();
        return reason;
    }

    private void Run()
    {
        try
        {
            _transport.Connect();
            if (TryMoveToLoop())
            {
                return;
            }
            _receiving = Thread.CurrentThread;
            End(_receiver.Receive());
        }
        catch (AuthenticationException e)
        {
            End(new Refusal(RefusalReason.Untrusted, e.GetBaseException().Message.ReplaceLineEndings(" ")));
        }
        catch (Exception e) when (IsLoss(e))
        {
            End(LossOf(e));
        }
        Finish();
    }

    // Returns false if this thread goes on.
    private bool TryMoveToLoop()
    {
        if (_options.Loop is not { } loop || _transport.Descriptor is not int descriptor)
        {
            return false;
        }
        var reader = new LoopReader(this, loop, descriptor);
        lock (_lock)
        {
            // The descriptor of a client that has ended is closed, or about to be.
            if (_end is not null)
            {
                return false;
            }
            _loopReader = reader;
        }
        if (loop.TryAdd(reader))
        {
            return true;
        }
        lock (_lock)
        {
            _loopReader = null;
        }
        return false;
    }

    // On the loop's thread. Returns false if nothing had arrived.
    private bool TryReceive()
    {
        Refusal? refusal = null;
        _receiving = Thread.CurrentThread;
        try
        {
            refusal = _receiver.TryReceive();
        }
        catch (Exception e) when (IsLoss(e))
        {
            refusal = LossOf(e);
        }
        finally
        {
            _receiving = null;
        }
        if (refusal is { Reason: not RefusalReason.None } end)
        {
            End(end);
        }
        return refusal is not null;
    }

    // The last action of the thread that receives, after End.
    private void Finish()
    {
        _receiver.Close();
        var failure = _end!.Value.Reason
            is RefusalReason.BadFrame
                or RefusalReason.BadChecksum
                or RefusalReason.WrongPage
            ? FetchFailure.BadAnswer
            : FetchFailure.SourceLost;
        List<ClientRequest> ended;
        Action? lists;
        lock (_lock)
        {
            ended = _pending.EndAll(failure);
            lists = _listings.EndAll();
        }
        foreach (var request in ended)
        {
            request.Sink.OnFailed(request.Id, failure);
        }
        lists?.Invoke();
        _timer.Dispose();
        _owner.OnClosed(this, _end!.Value);
    }

    private static Refusal LossOf(Exception e) => new(RefusalReason.ConnectionLost, e.Message);

    private static bool IsLoss(Exception e) =>
        e
            is SocketException
                or IOException
                or ObjectDisposedException
                or AuthenticationException
                or InvalidOperationException;

    /// <summary>The client on a loop's thread.</summary>
    private sealed class LoopReader(PageClient client, IReadinessLoop loop, int descriptor) : IReadable
    {
        private readonly TaskCompletionSource _finished = new();
        private bool _hasUnsent;

        public int Fd => descriptor;

        /// <summary>
        /// Will what was appended be sent at the end of the loop's turn? A call over loopback takes as long as several
        /// pages, and a turn of the loop has requests of several actors.
        /// </summary>
        public bool TakeTurn() => loop.IsCurrent && (_hasUnsent = true);

        public void OnIdle()
        {
            if (!_hasUnsent)
            {
                return;
            }
            _hasUnsent = false;
            client.Flush(isLast: true);
        }

        public bool TryRead()
        {
            if (!client._hasEnded && !client.TryReceive())
            {
                return false;
            }
            if (client._hasEnded)
            {
                Finish();
            }
            return true;
        }

        public void OnLoopEnded()
        {
            client.End(new Refusal(RefusalReason.Closed, "the thread that receives has ended"));
            Finish();
        }

        /// <summary>After the client's end: returns once the loop has finished it.</summary>
        public void WaitForEnd()
        {
            if (loop.IsCurrent)
            {
                Finish();
            }
            _finished.Task.Wait();
        }

        private void Finish()
        {
            if (_finished.Task.IsCompleted)
            {
                return;
            }
            loop.Remove(this);
            client._transport.Dispose();
            client.Finish();
            _finished.SetResult();
        }
    }
}
