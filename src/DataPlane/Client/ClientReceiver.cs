using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The work of a client's thread: receive, cut into frames in place, deliver pages. An incomplete frame stays in its
/// buffer, or moves to the front of the next one.
/// </summary>
internal sealed unsafe class ClientReceiver(PageClient client, PageClientOptions options, IClientTransport transport)
{
    private const int LeastRoom = 64 << 10;
    private const int CheapMove = 8 << 10;

    // Pages delivered at once: enough that a message to an actor costs little per page, few enough that the first of
    // them are in use while the rest is still being decoded.
    private const int MaxPagesInBatch = 64;

    private readonly ReceiveBufferPool _buffers = new();
    private readonly ClientHandshake _handshake = new(options);
    private ReceiveBuffer? _buffer;
    private PageDecoder? _decoder;
    private long _completedNs;
    private PageBatch? _open;
    private ClientRequest? _openRequest;

    public PageBatchPool Batches { get; } = new();

    /// <summary>Receives until the connection ends, and returns the reason.</summary>
    public Refusal Receive()
    {
        while (true)
        {
            var refusal = Take(transport.Receive(NextRoom()));
            if (refusal.Reason != RefusalReason.None)
            {
                return refusal;
            }
        }
    }

    /// <summary>
    /// Receives once, without blocking. Returns null if nothing had arrived; a reason if the connection ends with it.
    /// </summary>
    public Refusal? TryReceive() => transport.TryReceive(NextRoom()) is int bytes ? Take(bytes) : null;

    /// <summary>Gives up the memory; nothing is received any more.</summary>
    public void Close()
    {
        _buffer?.Release();
        _buffer = null;
        _decoder?.Clear();
    }

    private Span<byte> NextRoom()
    {
        _buffer = _buffer is null ? _buffers.Rent([]) : MakeRoom(_buffer);
        return RoomFor(_buffer);
    }

    private Refusal Take(int bytes)
    {
        if (bytes <= 0)
        {
            return new Refusal(RefusalReason.ConnectionLost, transport.ClosedText);
        }
        var buffer = _buffer!;
        buffer.Filled += bytes;
        client.Heard(bytes);
        _completedNs = client.NowNs;
        return TakeFrames(buffer);
    }

    // Does not receive the start of a frame that will not fit behind the incoming one: it would have to be moved.
    private static Span<byte> RoomFor(ReceiveBuffer buffer)
    {
        var rest = buffer.Unparsed;
        var room = buffer.Room;
        if (rest.Length < FrameHeader.Size || !FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out var header))
        {
            return room;
        }
        var size = FrameHeader.Size + header.PayloadBytes;
        var missing = size - rest.Length;
        return missing > 0 && missing + size > room.Length && missing <= room.Length ? room[..missing] : room;
    }

    private ReceiveBuffer MakeRoom(ReceiveBuffer buffer)
    {
        var rest = buffer.Unparsed;
        var needed = LeastRoom;
        if (rest.Length >= FrameHeader.Size && FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out var header))
        {
            needed = FrameHeader.Size + header.PayloadBytes - rest.Length;
        }
        var hasRoom = buffer.Room.Length >= needed;
        // Memory that is reused at once is still in the cache; no reader refers to it any more.
        if (buffer.IsExclusive && (rest.Length <= CheapMove || !hasRoom))
        {
            buffer.Reset(rest);
            return buffer;
        }
        if (hasRoom)
        {
            return buffer;
        }
        var next = _buffers.Rent(rest);
        buffer.Release();
        return next;
    }

    private Refusal TakeFrames(ReceiveBuffer buffer)
    {
        try
        {
            while (buffer.Unparsed.Length >= FrameHeader.Size)
            {
                var rest = buffer.Unparsed;
                if (!FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out var header))
                {
                    return new Refusal(
                        _decoder is null ? RefusalReason.NotThisProtocol : RefusalReason.BadFrame,
                        "no valid frame header from the server"
                    );
                }
                var size = FrameHeader.Size + header.PayloadBytes;
                if (rest.Length < size)
                {
                    break;
                }
                var refusal = Take(buffer, header, rest[FrameHeader.Size..size]);
                if (refusal.Reason != RefusalReason.None)
                {
                    return refusal;
                }
                buffer.Parsed += size;
            }
            return default;
        }
        finally
        {
            HandOver();
            client.EndOfFrames();
        }
    }

    private Refusal Take(ReceiveBuffer buffer, FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Type == FrameType.Refused)
        {
            return Refusal.TryRead(payload, out var said) && said.Reason != RefusalReason.None
                ? said with
                {
                    Text = $"the server reports: {said.Text}",
                }
                : new Refusal(RefusalReason.BadFrame, "a refusal that cannot be read");
        }
        if (_decoder is null)
        {
            return Shake(header, payload);
        }
        var reason = header.Type switch
        {
            FrameType.Data or FrameType.Zero or FrameType.Duplicate or FrameType.End => TakePages(buffer, header),
            FrameType.Pong when payload.Length == sizeof(ulong) => RefusalReason.None,
            FrameType.Sources => client.TakeSources(header, payload),
            _ => RefusalReason.BadFrame,
        };
        return new Refusal(
            reason,
            reason == RefusalReason.None ? "" : $"frame of type {(int)header.Type} from the server"
        );
    }

    private Refusal Shake(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var refusal = _handshake.Take(header, payload, out var reply);
        if (refusal.Reason == RefusalReason.None && reply.Length > 0)
        {
            client.Append(reply);
        }
        if (_handshake.Welcome is Welcome welcome)
        {
            _decoder = new PageDecoder((int)welcome.DuplicateWindow);
            client.Open(_handshake);
        }
        return refusal;
    }

    private RefusalReason TakePages(ReceiveBuffer buffer, FrameHeader header)
    {
        var frame = buffer.Start + buffer.Parsed;
        var reason = _decoder!.Check(buffer, frame, header, out var record);
        if (reason != RefusalReason.None)
        {
            return reason;
        }
        // Before the next frame is processed: a request that ends with it may be reused for another one afterwards.
        if (header.Type == FrameType.End || _open?.Count + record.PageCount > MaxPagesInBatch)
        {
            HandOver();
        }
        if (!client.TryTake(header, record, out var request, out var isLast))
        {
            return RefusalReason.WrongPage;
        }
        if (request is null)
        {
            client.Counters.CountDropped(record.PageCount);
        }
        else if (header.Type == FrameType.End)
        {
            client.Fail(request, FailureOf((EndStatus)record.Detail, request.IsBackground));
        }
        else
        {
            client.Counters.CountPages(header.Type, record.PageCount);
            var batch = OpenFor(request);
            _decoder.Append(batch, buffer, frame, header, record);
            batch.IsLast = isLast;
        }
        return RefusalReason.None;
    }

    // Frames of one request that were received together are delivered to its sink together.
    private PageBatch OpenFor(ClientRequest request)
    {
        if (_open is { } open && _openRequest == request)
        {
            return open;
        }
        HandOver();
        var batch = Batches.Rent(request.Id);
        batch.CompletedNs = _completedNs;
        (_open, _openRequest) = (batch, request);
        return batch;
    }

    private void HandOver()
    {
        if (_open is not { } batch)
        {
            return;
        }
        var request = _openRequest!;
        (_open, _openRequest) = (null, null);
        client.Deliver(request, batch);
    }

    // NotNeeded is valid only for background requests; on a demand request it is a protocol error.
    private static FetchFailure FailureOf(EndStatus status, bool isBackground) =>
        status switch
        {
            EndStatus.NotNeeded when isBackground => FetchFailure.NotNeeded,
            EndStatus.NotNeeded or EndStatus.BadAnswer => FetchFailure.BadAnswer,
            _ => FetchFailure.SourceLost,
        };
}
