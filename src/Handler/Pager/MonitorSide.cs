using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// The socket to the monitor after the handshake. In the main form nothing comes any more but its end. In the
/// secret-free form fault requests come and answers go; a monitor that does not take its answers gets no more requests
/// read. Owned by the pager's thread; allocates nothing after construction.
/// </summary>
internal sealed class MonitorSide
{
    // A flood costs its own VM time, and no other's: so many requests between two looks at the userfaultfd.
    private const int MostAtOnce = 64;
    private readonly UnixSocket _socket;
    private readonly JsonCutter? _stream;
    private readonly RequestLedger? _requests;
    private readonly byte[] _reply = new byte[FaultRequest.MostBytes];
    private readonly List<OwnedFd> _stray = [];
    private bool _isFull;

    /// <summary>The socket's protocol side.</summary>
    /// <param name="socket">The connection; not owned.</param>
    /// <param name="stream">Where requests are cut; null in the main form.</param>
    /// <param name="requests">Those without an answer; null in the main form.</param>
    public MonitorSide(UnixSocket socket, JsonCutter? stream, RequestLedger? requests) =>
        (_socket, _stream, _requests) = (socket, stream, requests);

    /// <summary>The other end has closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Does any request wait for its answer?</summary>
    public bool HasRequests => _requests is { Used: > 0 };

    /// <summary>Which poll events to wait for.</summary>
    public short Events =>
        IsClosed ? (short)0
        : _isFull ? Libc.POLLOUT
        : Libc.POLLIN;

    /// <summary>Takes requests that are there; answers whether there is more to look at at once.</summary>
    /// <exception cref="ProtocolException">The monitor does not keep to the protocol.</exception>
    public bool Take(Action<FaultRequest> serve)
    {
        if (IsClosed || _isFull)
            return false;
        if (_stream is null)
        {
            WatchForEnd();
            return false;
        }
        var taken = 0;
        while (taken < MostAtOnce && !_isFull && _stream.TryNext(out var json))
        {
            serve(Enter(json));
            taken++;
        }
        // Bytes that came are work too: nobody sleeps on a request that he has read.
        return taken > 0 || Fill();
    }

    /// <summary>Answers every request for these pages; answers that do not go now are tried again.</summary>
    /// <param name="isInPlace">Is the page of this offset in place?</param>
    public void Answer(Func<ulong, bool> isInPlace)
    {
        _isFull = false;
        for (var slot = 0; slot < (_requests?.Used ?? 0) && !IsClosed; slot++)
        {
            if (!_requests!.TryGet(slot, out var request) || !isInPlace(request.Offset))
                continue;
            if (!TrySend(request))
            {
                _isFull = true;
                return;
            }
            _requests.Remove(slot);
        }
    }

    /// <summary>
    /// Serves what a dead process had read and not answered. Whoever died between an answer and its note of it leaves a
    /// request that is answered once more: one a takeover at most, and a monitor has to take it for a spurious wake.
    /// </summary>
    public void ServeAgain(Action<FaultRequest> serve)
    {
        // The first in the stream may have been entered already: entered again before any is answered, it stays one.
        if (_stream is not null && _stream.TryNext(out var json))
            _ = Enter(json);
        for (var slot = 0; slot < (_requests?.Used ?? 0); slot++)
        {
            if (_requests!.TryGet(slot, out var request))
                serve(request);
        }
    }

    // From here on the ledger alone holds it, so that a takeover finds it once.
    private FaultRequest Enter(ReadOnlySpan<byte> json)
    {
        var request = FaultRequest.Parse(json);
        _requests!.Add(request);
        _stream!.Take();
        return request;
    }

    // An answer is small: the socket takes it whole or not at all.
    private bool TrySend(in FaultRequest request)
    {
        try
        {
            var length = request.WriteReply(_reply, Mmu.Page.Size);
            return _socket.TrySend(_reply.AsSpan(0, length)) == length;
        }
        catch (LinuxException)
        {
            IsClosed = true;
            return false;
        }
    }

    private bool Fill()
    {
        var received = Receive(_stream!.Room);
        if (received == 0)
            IsClosed = true;
        else if (received > 0)
            _stream.Fill(received);
        return received > 0;
    }

    private void WatchForEnd()
    {
        Span<byte> bytes = stackalloc byte[64];
        var received = Receive(bytes);
        if (received == 0)
            IsClosed = true;
        if (received > 0)
            throw new ProtocolException(ProtocolError.Unexpected, "the monitor sent something after the handshake");
    }

    private int Receive(Span<byte> bytes)
    {
        try
        {
            var received = _socket.Receive(bytes, _stray, wait: false);
            return _stray.Count == 0
                ? received
                : throw new ProtocolException(
                    ProtocolError.Unexpected,
                    "the monitor sent descriptors after the handshake"
                );
        }
        finally
        {
            foreach (var fd in _stray)
                fd.Dispose();
            _stray.Clear();
        }
    }
}
