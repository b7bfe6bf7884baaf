using Userfault.Linux;

namespace Userfault.Handler;

/// <summary>
/// The socket in the secret-free form: fault requests come and answers go. A monitor that does not take its answers
/// gets no more requests read.
/// </summary>
internal sealed class RequestingMonitor : MonitorSide
{
    // A flood of requests must cost the VM that sends it: at most so many between two looks at the userfaultfd.
    private const int MaxAtOnce = 64;
    private readonly JsonCutter _stream;
    private readonly RequestLedger _requests;
    private readonly byte[] _reply = new byte[FaultRequest.MaxBytes];
    private bool _isFull;

    /// <summary>The socket's protocol side.</summary>
    /// <param name="socket">The connection; not owned.</param>
    /// <param name="state">Where requests are kept; not owned.</param>
    /// <param name="rest">Bytes that came glued to the handshake.</param>
    public RequestingMonitor(UnixSocket socket, VmState state, ReadOnlySpan<byte> rest)
        : base(socket)
    {
        (_stream, _requests) = (state.OpenStream(), state.OpenRequests());
        rest.CopyTo(_stream.Room);
        _stream.Fill(rest.Length);
    }

    /// <inheritdoc/>
    public override bool HasRequests => _requests.Used > 0;

    /// <inheritdoc/>
    public override short Events => _isFull && !IsClosed ? Libc.POLLOUT : base.Events;

    /// <inheritdoc/>
    public override bool Take(Action<FaultRequest> serve)
    {
        if (IsClosed || _isFull)
            return false;
        var taken = 0;
        while (taken < MaxAtOnce && !_isFull && _stream.TryNext(out var json))
        {
            serve(Enter(json));
            taken++;
        }
        // Bytes that came are work too: the pager must not sleep on a request that it has read.
        return taken > 0 || Fill();
    }

    /// <inheritdoc/>
    public override void Answer(Func<ulong, bool> isInPlace)
    {
        _isFull = false;
        for (var slot = 0; slot < _requests.Used && !IsClosed; slot++)
        {
            if (!_requests.TryGet(slot, out var request) || !isInPlace(request.Offset))
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
    /// Serves what a dead process had read and not answered. A process that died between an answer and its note of it
    /// leaves a request that is answered once more: at most one per takeover, and a monitor has to take it for a
    /// spurious wake.
    /// </summary>
    public override void ServeAgain(Action<FaultRequest> serve)
    {
        // The first in the stream may have been entered already: entered again before any is answered, it stays one.
        if (_stream.TryNext(out var json))
            _ = Enter(json);
        for (var slot = 0; slot < _requests.Used; slot++)
        {
            if (_requests.TryGet(slot, out var request))
                serve(request);
        }
    }

    /// <inheritdoc/>
    public override void OnReady(short events, Func<ulong, bool> isInPlace, Action<FaultRequest> serve)
    {
        Answer(isInPlace);
        // Requests are taken by the loop; a socket that is only closed has to be looked at here.
        if ((events & Libc.POLLHUP) != 0)
            _ = Take(serve);
    }

    // From here on the ledger alone holds it, so that a takeover finds it once.
    private FaultRequest Enter(ReadOnlySpan<byte> json)
    {
        var request = FaultRequest.Parse(json);
        _requests.Add(request);
        _stream.Take();
        return request;
    }

    // An answer is small: the socket takes it whole or not at all.
    private bool TrySend(in FaultRequest request)
    {
        try
        {
            var length = request.WriteReply(_reply, Mmu.Page.Size);
            return Socket.TrySend(_reply.AsSpan(0, length)) == length;
        }
        catch (LinuxException)
        {
            IsClosed = true;
            return false;
        }
    }

    private bool Fill()
    {
        var received = Receive(_stream.Room);
        if (received == 0)
            IsClosed = true;
        else if (received > 0)
            _stream.Fill(received);
        return received > 0;
    }
}
