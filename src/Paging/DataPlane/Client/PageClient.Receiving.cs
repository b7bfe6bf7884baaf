using System.Net.Sockets;
using System.Security.Authentication;

namespace Userfault.Paging;

// What the receive thread does and says: from connecting to the end of the connection.
public sealed partial class PageClient
{
    /// <summary>The handshake is done.</summary>
    internal void Open(ClientHandshake handshake)
    {
        lock (_lock)
        {
            (int requests, uint pages, uint requestPages) = handshake.Bounds();
            _book.Open(requests, pages, requestPages);
            _watch.Open(handshake.Welcome!, NowMs);
            Volatile.Write(ref _welcome, handshake.Welcome);
        }
        _owner.OnOpened(this);
    }

    /// <summary>Bytes to send that do not come from a request.</summary>
    internal void Append(ReadOnlySpan<byte> frame)
    {
        lock (_lock)
        {
            _sender.Output.Append(frame);
        }
    }

    /// <summary>Frames have come: <paramref name="bytes"/> of them.</summary>
    internal void Heard(int bytes)
    {
        Counters.CountBytes(bytes);
        // One look at the clock for all that was received together: a look costs as much as the rest of a page's books.
        _receivedMs = NowMs;
        _watch.Heard(_receivedMs);
    }

    /// <summary>Checks a page frame against what was asked.</summary>
    internal bool TryTake(FrameHeader header, in PageRecord record, out ClientRequest? request, out bool isLast)
    {
        lock (_lock)
        {
            return _book.TryTake(header, record, _receivedMs, out request, out isLast);
        }
    }

    /// <summary>Gives a request's sink pages of frames that were taken; a request that was ended meanwhile ends behind them.</summary>
    internal void Deliver(ClientRequest request, PageBatch batch)
    {
        ulong id = request.Id;
        IPageSink sink = request.Sink;
        sink.OnPages(batch);
        FetchFailure? failure;
        lock (_lock)
        {
            failure = _book.Delivered(request);
        }
        if (failure is FetchFailure known)
        {
            sink.OnFailed(id, known);
        }
    }

    /// <summary>All frames that had come are dealt with: sends what may go now.</summary>
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
        ulong id = request.Id;
        ClientRequest? ended;
        lock (_lock)
        {
            ended = _book.Fail(request, failure);
        }
        ended?.Sink.OnFailed(id, failure);
    }

    /// <summary>None, or why the list is refused.</summary>
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
        FetchFailure failure = _end!.Value.Reason is RefusalReason.BadFrame or RefusalReason.BadChecksum or RefusalReason.WrongPage
            ? FetchFailure.BadAnswer
            : FetchFailure.SourceLost;
        List<ClientRequest> ended;
        Action? lists;
        lock (_lock)
        {
            ended = _book.EndAll(failure);
            lists = _listings.EndAll();
        }
        foreach (ClientRequest request in ended)
        {
            request.Sink.OnFailed(request.Id, failure);
        }
        lists?.Invoke();
        _timer.Dispose();
        _owner.OnClosed(this, _end!.Value);
    }

    private static bool IsLoss(Exception e) =>
        e is SocketException or IOException or ObjectDisposedException or AuthenticationException or InvalidOperationException;
}
