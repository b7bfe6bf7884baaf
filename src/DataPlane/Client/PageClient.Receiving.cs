using System.Net.Sockets;
using System.Security.Authentication;
using Userfault.Pages;

namespace Userfault.DataPlane;

// The work of the receive thread, from connecting to the end of the connection.
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
        Flush(fromReceiveThread: true);
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
            End(_receiver.Receive());
        }
        catch (AuthenticationException e)
        {
            End(new Refusal(RefusalReason.Untrusted, e.GetBaseException().Message.ReplaceLineEndings(" ")));
        }
        catch (Exception e) when (IsLoss(e))
        {
            End(new Refusal(RefusalReason.ConnectionLost, e.Message));
        }
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

    private static bool IsLoss(Exception e) =>
        e
            is SocketException
                or IOException
                or ObjectDisposedException
                or AuthenticationException
                or InvalidOperationException;
}
