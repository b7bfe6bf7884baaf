namespace Userfault.Linux;

/// <summary>
/// The socket to the monitor after the handshake. In the main form nothing comes any more but its end. In the secret-free form
/// fault requests come and answers go; a monitor that does not take its answers gets no more requests read. Owned by the
/// pager's thread; allocates nothing after construction.
/// </summary>
internal sealed class MonitorSide
{
    // A flood costs its own VM time, and no other's: so many requests between two looks at the userfaultfd.
    private const int MostAtOnce = 64;
    private readonly UnixSocket _socket;
    private readonly JsonCutter? _requests;
    private readonly byte[] _replies = new byte[MostAtOnce * FaultRequest.MostBytes];
    private readonly List<OwnedFd> _stray = [];
    private int _unsent;

    /// <summary>The socket's protocol side.</summary>
    /// <param name="socket">The connection; not owned.</param>
    /// <param name="takesRequests">The secret-free form?</param>
    /// <param name="rest">What came glued to the handshake.</param>
    public MonitorSide(UnixSocket socket, bool takesRequests, ReadOnlySpan<byte> rest)
    {
        _socket = socket;
        if (!takesRequests) return;
        _requests = new JsonCutter(RegionList.MostBytes);
        rest.CopyTo(_requests.Room);
        _requests.Fill(rest.Length);
    }

    /// <summary>The other end has closed it.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Which poll events to wait for.</summary>
    public short Events => IsClosed ? (short)0 : _unsent > 0 ? Libc.POLLOUT : Libc.POLLIN;

    /// <summary>Takes requests that are there; answers whether any were.</summary>
    /// <exception cref="ProtocolException">The monitor does not keep to the protocol.</exception>
    public bool Take(Func<FaultRequest, bool> answer)
    {
        if (IsClosed || !FlushReplies()) return false;
        if (_requests is null)
        {
            WatchForEnd();
            return false;
        }
        var taken = 0;
        while (taken < MostAtOnce && _requests.TryNext(out var json))
        {
            // Those that must wait are kept by the caller and answered by Reply.
            _ = answer(FaultRequest.Parse(json));
            taken++;
        }
        if (taken == 0) Fill();
        return taken > 0;
    }

    /// <summary>Answers a request.</summary>
    public void Reply(in FaultRequest request, ulong bytes)
    {
        if (_replies.Length - _unsent < FaultRequest.MostBytes && !FlushReplies())
            throw new ProtocolException("the monitor does not take the answers to its requests");
        _unsent += request.WriteReply(_replies.AsSpan(_unsent), bytes);
    }

    /// <summary>Sends what waits to be sent; false where some of it still does.</summary>
    public bool FlushReplies()
    {
        if (_unsent == 0 || IsClosed) return true;
        try
        {
            var sent = _socket.TrySend(_replies.AsSpan(0, _unsent));
            _replies.AsSpan(sent, _unsent - sent).CopyTo(_replies);
            _unsent -= sent;
        }
        catch (LinuxException)
        {
            IsClosed = true;
        }
        return _unsent == 0;
    }

    private void Fill()
    {
        var received = _socket.Receive(_requests!.Room, _stray, wait: false);
        RefuseStrays();
        if (received == 0) IsClosed = true;
        else if (received > 0) _requests.Fill(received);
    }

    private void WatchForEnd()
    {
        Span<byte> bytes = stackalloc byte[64];
        var received = _socket.Receive(bytes, _stray, wait: false);
        RefuseStrays();
        if (received == 0) IsClosed = true;
        if (received > 0) throw new ProtocolException("the monitor sent something after the handshake");
    }

    private void RefuseStrays()
    {
        if (_stray.Count == 0) return;
        foreach (var fd in _stray) fd.Dispose();
        _stray.Clear();
        throw new ProtocolException("the monitor sent descriptors after the handshake");
    }
}
