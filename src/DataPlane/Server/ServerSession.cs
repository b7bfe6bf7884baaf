using System.Buffers.Binary;
using Userfault.Mmu;

namespace Userfault.DataPlane;

/// <summary>
/// One client's side of the server, without a socket: bytes in, batches to send out. It holds the handshake, the agreed
/// limits and the outstanding requests; the shell around it owns the thread (or a lock) and supplies the time.
/// </summary>
internal sealed class ServerSession : IDisposable
{
    private readonly PageServerOptions _options;
    private readonly ServerContents _contents;
    private readonly Action _wake;
    private readonly FrameAssembler _frames = new(WireLimits.ClientPayloadBytes);
    private readonly long _openedMs;
    private readonly RequestTable _requests;
    private readonly uint _maxPages;
    private readonly uint _maxRequestPages;

    private State _state = State.Greeting;
    private Hello? _hello;
    private int _window;
    private PageOffer? _offer;
    private IAnswerer? _answerer;
    private ulong? _pong;
    private SourceListingWriter? _listing;
    private long _lastFrameMs;
    private long _midFrameSinceMs;

    /// <param name="options">Limits and timeouts.</param>
    /// <param name="contents">What is served; shared by all sessions.</param>
    /// <param name="wake">Called from any thread when there may be output again.</param>
    /// <param name="nowMs">The time of connecting.</param>
    public ServerSession(PageServerOptions options, ServerContents contents, Action wake, long nowMs)
    {
        _options = options;
        _contents = contents;
        _wake = wake;
        _openedMs = _lastFrameMs = _midFrameSinceMs = nowMs;
        _maxPages = (uint)Math.Clamp(options.MaxOutstandingBytes >> Page.Shift, 1, int.MaxValue);
        _maxRequestPages = Math.Min(WireLimits.PagesPerRequest, _maxPages);
        _requests = new RequestTable((uint)options.MaxOutstandingRequests, _maxPages, _maxRequestPages);
    }

    private enum State
    {
        Greeting,
        AwaitingHello,
        Welcoming,
        Open,
        Refusing,
        Closed,
    }

    /// <summary>Why this peer was refused, for the log; none if it was not.</summary>
    public Refusal Refused { get; private set; }

    /// <summary>The last output has been produced: the connection ends once it has been sent.</summary>
    public bool IsClosed => _state == State.Closed;

    /// <summary>Is there output to send?</summary>
    public bool HasOutput =>
        _state is State.Greeting or State.Welcoming or State.Refusing
        || (_state == State.Open && (_pong is not null || _listing is not null || _answerer?.HasOutput == true));

    /// <summary>Processes bytes from the peer. After a refusal all bytes are ignored.</summary>
    public void Receive(ReadOnlySpan<byte> bytes, long nowMs)
    {
        while (_state is not (State.Refusing or State.Closed))
        {
            if (!_frames.TryNext(ref bytes, out var header, out var payload, out var isBroken))
            {
                if (isBroken)
                {
                    Refuse(
                        _hello is null ? RefusalReason.NotThisProtocol : RefusalReason.BadFrame,
                        $"no valid frame header (length {(uint)header.PayloadBytes}, type {(int)header.Type})"
                    );
                }
                break;
            }
            _lastFrameMs = _midFrameSinceMs = nowMs;
            Take(header, payload);
        }
        if (!_frames.IsMidFrame)
        {
            _midFrameSinceMs = nowMs;
        }
    }

    /// <summary>Refuses a peer that exceeds one of the timeouts.</summary>
    public void CheckTime(long nowMs)
    {
        if (_state is State.Refusing or State.Closed)
        {
            return;
        }
        if (_hello is null && nowMs - _openedMs > _options.HandshakeTimeout.TotalMilliseconds)
        {
            Refuse(RefusalReason.TooSlow, "no handshake in time");
        }
        else if (_frames.IsMidFrame && nowMs - _midFrameSinceMs > _options.FrameTimeout.TotalMilliseconds)
        {
            Refuse(RefusalReason.TooSlow, "a frame began and did not end in time");
        }
        else if (nowMs - _lastFrameMs > _options.IdleTimeout.TotalMilliseconds)
        {
            Refuse(RefusalReason.TooSlow, "silent for too long");
        }
    }

    public void Refuse(RefusalReason reason, string text)
    {
        if (_state is State.Refusing or State.Closed)
        {
            return;
        }
        Refused = new Refusal(reason, text);
        _state = State.Refusing;
    }

    /// <summary>Appends as much pending output as fits. The batch must be empty.</summary>
    public void Fill(SendBatch batch)
    {
        switch (_state)
        {
            case State.Greeting:
                Append(
                    batch,
                    FrameType.Greeting,
                    Greeting.Size,
                    new Greeting(WireLimits.Version, WireLimits.Version).Write
                );
                _state = State.AwaitingHello;
                break;
            case State.Welcoming:
                AppendWelcome(batch);
                _state = State.Open;
                FillOpen(batch);
                break;
            case State.Open:
                FillOpen(batch);
                break;
            case State.Refusing:
                AppendRefusal(batch, Refused);
                _state = State.Closed;
                break;
            default:
                break;
        }
    }

    public void Dispose() => _answerer?.Dispose();

    public static void AppendRefusal(SendBatch batch, Refusal refusal)
    {
        Span<byte> payload = stackalloc byte[Refusal.MaxSize];
        var size = refusal.Write(payload);
        var frame = batch.Append(FrameHeader.Size + size);
        new FrameHeader(size, FrameType.Refused, 0).Write(frame);
        payload[..size].CopyTo(frame[FrameHeader.Size..]);
    }

    private void FillOpen(SendBatch batch)
    {
        if (_pong is ulong token)
        {
            _pong = null;
            Append(
                batch,
                FrameType.Pong,
                sizeof(ulong),
                payload => BinaryPrimitives.WriteUInt64LittleEndian(payload, token)
            );
        }
        if (_listing is not null && !_listing.Write(batch))
        {
            _listing = null;
        }
        _answerer?.Fill(batch);
    }

    private void Take(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (_state is State.Greeting or State.AwaitingHello or State.Welcoming)
        {
            TakeHello(header, payload);
            return;
        }
        switch (header.Type)
        {
            case FrameType.Request when payload.Length > 0 && payload.Length % RequestEntry.Size == 0:
                TakeRequests(payload);
                break;
            case FrameType.Cancel when payload.Length > 0 && payload.Length % sizeof(uint) == 0:
                for (; payload.Length > 0; payload = payload[sizeof(uint)..])
                {
                    TakeCancel(BinaryPrimitives.ReadUInt32LittleEndian(payload));
                }
                break;
            // One answer to several pings is enough: a client that does not read answers cannot make them pile up.
            case FrameType.Ping when payload.Length == sizeof(ulong):
                _pong = BinaryPrimitives.ReadUInt64LittleEndian(payload);
                break;
            case FrameType.List when payload.Length == 0 && _listing is null:
                _listing = new SourceListingWriter(_contents.Directory());
                break;
            default:
                Refuse(
                    RefusalReason.BadFrame,
                    $"type {(int)header.Type} with {payload.Length} bytes is not expected here"
                );
                break;
        }
    }

    private void TakeHello(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        if (header.Type != FrameType.Hello || _hello is not null)
        {
            Refuse(
                _hello is null ? RefusalReason.NotThisProtocol : RefusalReason.BadFrame,
                $"type {(int)header.Type} in place of a hello"
            );
            return;
        }
        var reason = Hello.TryRead(payload, out var hello);
        if (reason != RefusalReason.None)
        {
            Refuse(reason, $"hello refused; this server speaks version {WireLimits.Version}");
            return;
        }
        if (hello!.Image != default)
        {
            _offer = _contents.Find(hello.Image);
            if (_offer is null)
            {
                Refuse(RefusalReason.UnknownImage, $"no source of image {hello.Image} here");
                return;
            }
        }
        _hello = hello;
        _window = (int)
            Math.Min(hello.DuplicateWindow, (uint)Math.Min(_options.DuplicateWindow, _offer?.WidestWindow ?? 0));
        _answerer = _offer?.Open(_window, _requests, _contents.Counters, _wake);
        _state = State.Welcoming;
    }

    // The requests of one frame stay together on their way to a source behind this server.
    private void TakeRequests(ReadOnlySpan<byte> payload)
    {
        _answerer?.Gather();
        try
        {
            for (; payload.Length > 0 && _state == State.Open; payload = payload[RequestEntry.Size..])
            {
                TakeRequest(payload);
            }
        }
        finally
        {
            _answerer?.Send();
        }
    }

    private void TakeRequest(ReadOnlySpan<byte> payload)
    {
        if (!RequestEntry.TryRead(payload, out var entry) || entry.PageCount == 0)
        {
            Refuse(RefusalReason.BadFrame, "a request entry is not valid");
        }
        else if (_offer is null || entry.FirstPage >= _offer.Pages || entry.PageCount > _offer.Pages - entry.FirstPage)
        {
            Refuse(RefusalReason.OutOfRange, $"pages {entry.FirstPage} +{entry.PageCount} are not in the image");
        }
        else if (_requests.TryAdd(entry, out var request) is var reason && reason != RefusalReason.None)
        {
            Refuse(reason, $"request {entry.RequestId} of {entry.PageCount} pages on top of what is outstanding");
        }
        else
        {
            _answerer!.Start(request);
        }
    }

    // Unknown if the end of the request crossed the cancellation in flight: nothing to do.
    private void TakeCancel(uint requestId)
    {
        if (_requests.Find(requestId) is PendingRequest request)
        {
            _answerer!.Cancel(request);
        }
    }

    private void AppendWelcome(SendBatch batch)
    {
        var welcome = new Welcome(
            _maxPages,
            (uint)_options.MaxOutstandingRequests,
            _maxRequestPages,
            (uint)_window,
            (uint)Math.Max(_options.IdleTimeout.TotalMilliseconds, 1),
            _offer?.Pages ?? 0,
            _hello!.Image
        );
        Append(batch, FrameType.Welcome, Welcome.Size, welcome.Write);
    }

    private static void Append(SendBatch batch, FrameType type, int payloadBytes, SpanAction write)
    {
        var frame = batch.Append(FrameHeader.Size + payloadBytes);
        new FrameHeader(payloadBytes, type, 0).Write(frame);
        write(frame[FrameHeader.Size..]);
    }

    private delegate void SpanAction(Span<byte> payload);
}
