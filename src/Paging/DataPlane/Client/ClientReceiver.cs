namespace Userfault.Paging;

/// <summary>
/// What a client's thread does: receive, cut into frames where they lie, hand pages on. A frame that is not whole stays in
/// its buffer, or moves to the front of the next one.
/// </summary>
internal sealed unsafe class ClientReceiver(PageClient client, PageClientOptions options, IClientTransport transport)
{
    private const int LeastRoom = 64 << 10;
    private const int CheapMove = 8 << 10;

    // Pages handed over at once: enough that a message to an actor costs little a page, few enough that the first of them
    // are in use while the rest is still taken apart.
    private const int MostPagesInBatch = 64;

    private readonly ReceiveBufferPool _buffers = new();
    private readonly ClientHandshake _handshake = new(options);
    private PageDecoder? _decoder;
    private long _completedNs;
    private PageBatch? _open;
    private ClientRequest? _openRequest;

    public PageBatchPool Batches { get; } = new();

    /// <summary>Receives until the connection is over; tells why.</summary>
    public Refusal Receive()
    {
        ReceiveBuffer buffer = _buffers.Rent([]);
        try
        {
            while (true)
            {
                buffer = MakeRoom(buffer);
                int bytes = transport.Receive(RoomFor(buffer));
                if (bytes <= 0)
                {
                    return new Refusal(RefusalReason.ConnectionLost, transport.ClosedText);
                }
                buffer.Filled += bytes;
                client.Heard(bytes);
                _completedNs = client.NowNs;
                Refusal refusal = TakeFrames(buffer);
                if (refusal.Reason != RefusalReason.None)
                {
                    return refusal;
                }
            }
        }
        finally
        {
            buffer.Release();
            _decoder?.Clear();
        }
    }

    // Not into a frame that will not fit behind the one that is coming: what came of it would have to be moved.
    private static Span<byte> RoomFor(ReceiveBuffer buffer)
    {
        ReadOnlySpan<byte> rest = buffer.Unparsed;
        Span<byte> room = buffer.Room;
        if (rest.Length < FrameHeader.Size || !FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out FrameHeader header))
        {
            return room;
        }
        int size = FrameHeader.Size + header.PayloadBytes;
        int missing = size - rest.Length;
        return missing > 0 && missing + size > room.Length && missing <= room.Length ? room[..missing] : room;
    }

    private ReceiveBuffer MakeRoom(ReceiveBuffer buffer)
    {
        ReadOnlySpan<byte> rest = buffer.Unparsed;
        int needed = LeastRoom;
        if (rest.Length >= FrameHeader.Size && FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out FrameHeader header))
        {
            needed = FrameHeader.Size + header.PayloadBytes - rest.Length;
        }
        bool hasRoom = buffer.Room.Length >= needed;
        // The same memory again is memory that is still in the cache; nobody looks at it any more.
        if (buffer.IsExclusive && (rest.Length <= CheapMove || !hasRoom))
        {
            buffer.Reset(rest);
            return buffer;
        }
        if (hasRoom)
        {
            return buffer;
        }
        ReceiveBuffer next = _buffers.Rent(rest);
        buffer.Release();
        return next;
    }

    private Refusal TakeFrames(ReceiveBuffer buffer)
    {
        try
        {
            while (buffer.Unparsed.Length >= FrameHeader.Size)
            {
                ReadOnlySpan<byte> rest = buffer.Unparsed;
                if (!FrameHeader.TryRead(rest, WireLimits.ServerPayloadBytes, out FrameHeader header))
                {
                    return new Refusal(
                        _decoder is null ? RefusalReason.NotThisProtocol : RefusalReason.BadFrame,
                        "no valid frame header from the server");
                }
                int size = FrameHeader.Size + header.PayloadBytes;
                if (rest.Length < size)
                {
                    break;
                }
                Refusal refusal = Take(buffer, header, rest[FrameHeader.Size..size]);
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
            return Refusal.TryRead(payload, out Refusal said) && said.Reason != RefusalReason.None
                ? said with { Text = $"the server says: {said.Text}" }
                : new Refusal(RefusalReason.BadFrame, "a refusal that cannot be read");
        }
        if (_decoder is null)
        {
            return Shake(header, payload);
        }
        RefusalReason reason = header.Type switch
        {
            FrameType.Data or FrameType.Zero or FrameType.Duplicate or FrameType.End => TakePages(buffer, header),
            FrameType.Pong when payload.Length == sizeof(ulong) => RefusalReason.None,
            FrameType.Sources => client.TakeSources(header, payload),
            _ => RefusalReason.BadFrame,
        };
        return new Refusal(reason, reason == RefusalReason.None ? "" : $"frame of type {(int)header.Type} from the server");
    }

    private Refusal Shake(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        Refusal refusal = _handshake.Take(header, payload, out byte[] reply);
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
        byte* frame = buffer.Start + buffer.Parsed;
        RefusalReason reason = _decoder!.Check(buffer, frame, header, out PageRecord record);
        if (reason != RefusalReason.None)
        {
            return reason;
        }
        // Before the next frame is taken: a request that ends with it is no longer this one's afterwards.
        if (header.Type == FrameType.End || _open?.Count + record.PageCount > MostPagesInBatch)
        {
            HandOver();
        }
        if (!client.TryTake(header, record, out ClientRequest? request, out bool isLast))
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
            PageBatch batch = OpenFor(request);
            _decoder.Append(batch, buffer, frame, header, record);
            batch.IsLast = isLast;
        }
        return RefusalReason.None;
    }

    // Frames of one request that were received together go to its sink together.
    private PageBatch OpenFor(ClientRequest request)
    {
        if (_open is { } open && _openRequest == request)
        {
            return open;
        }
        HandOver();
        PageBatch batch = Batches.Rent(request.Id);
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
        ClientRequest request = _openRequest!;
        (_open, _openRequest) = (null, null);
        client.Deliver(request, batch);
    }

    // Nobody who waits for a page lets a server tell him that he has it.
    private static FetchFailure FailureOf(EndStatus status, bool isBackground) => status switch
    {
        EndStatus.NotNeeded when isBackground => FetchFailure.NotNeeded,
        EndStatus.NotNeeded or EndStatus.BadAnswer => FetchFailure.BadAnswer,
        _ => FetchFailure.SourceLost,
    };
}
