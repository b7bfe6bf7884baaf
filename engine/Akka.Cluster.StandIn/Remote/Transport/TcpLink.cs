using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Actor;

namespace Akka.Remote.Transport;

/// <summary>
/// One connection. Whoever sends appends to a buffer; a thread of the link writes the whole buffer in one call while
/// the next one fills, so that many small messages cost few system calls. Another thread opens and reads.
/// </summary>
internal sealed class TcpLink : ILink, IDisposable
{
    private const int HeaderBytes = 4;
    private const int UntrustedFrameBytes = 1024;
    private const int UsualBufferBytes = 64 * 1024;
    private const int IpProtoTcp = 6;
    private const int TcpUserTimeout = 18;

    private readonly TcpTransport _transport;
    private readonly ILinkHandler _handler;
    private readonly Socket _socket;
    private readonly Address? _remote;
    private readonly object _gate = new();
    private Stream? _stream;
    private ICancelable? _deadline;
    private byte[] _filling = new byte[1024];
    private byte[] _sending = new byte[1024];
    private int _filled;
    private bool _writerWaits;
    private bool _sent;
    private bool _closing;
    private string? _reason;
    private volatile bool _trusted;

    /// <summary>A link to be opened.</summary>
    public TcpLink(TcpTransport transport, ILinkHandler handler, Address remote)
    {
        _transport = transport;
        _handler = handler;
        _remote = remote;
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        Peer = remote.ToString();
    }

    /// <summary>A link that a peer has opened.</summary>
    public TcpLink(TcpTransport transport, ILinkHandler handler, Socket accepted)
    {
        _transport = transport;
        _handler = handler;
        _socket = accepted;
        Peer = accepted.RemoteEndPoint?.ToString() ?? "?";
    }

    public string Peer { get; }

    private bool IsInbound => _remote is null;

    public void Trust()
    {
        if (_trusted)
            return;
        _trusted = true;
        _deadline?.Cancel();
        if (IsInbound)
            _transport.HandshakeDone();
    }

    public bool TrySend(ReadOnlySpan<byte> frame, bool urgent)
    {
        var limit = _transport.Settings.SendBufferBytes;
        if (urgent)
            limit += limit / 4;
        var bytes = HeaderBytes + frame.Length;
        lock (_gate)
        {
            if (_closing || _filled + bytes > limit)
                return false;
            if (_filled + bytes > _filling.Length)
                Array.Resize(ref _filling, Math.Max(_filling.Length * 2, _filled + bytes));
            BinaryPrimitives.WriteInt32LittleEndian(_filling.AsSpan(_filled), frame.Length);
            frame.CopyTo(_filling.AsSpan(_filled + HeaderBytes));
            _filled += bytes;
            if (_writerWaits)
                Monitor.PulseAll(_gate);
        }
        return true;
    }

    public void Close(string reason)
    {
        lock (_gate)
        {
            if (_closing)
                return;
            _closing = true;
            _reason = reason;
            Monitor.PulseAll(_gate);
        }
        _transport.AbortLater(this);
    }

    /// <summary>Closes at once, whatever is buffered.</summary>
    public void Dispose() => _socket.Dispose();

    public void WaitUntilSent(TimeSpan atMost)
    {
        lock (_gate)
        {
            if (!_sent)
                Monitor.Wait(_gate, atMost);
        }
    }

    /// <summary>The reading thread: opens the link, hands frames to the handler until the link ends, and says so.</summary>
    public void Run()
    {
        var opened = false;
        try
        {
            var timeout = IsInbound ? _transport.Settings.HandshakeTimeout : _transport.Settings.ConnectionTimeout;
            _deadline = _transport.Deadline(timeout, () => End("the handshake took too long"));
            Open();
            TcpTransport.StartThread($"writes to {Peer}", WriteLoop);
            opened = true;
            _handler.Opened(this);
            ReadLoop();
        }
        catch (Exception trouble) when (trouble is IOException or SocketException or ObjectDisposedException or AuthenticationException)
        {
            Fail(trouble.Message);
        }
        catch (Exception trouble)
        {
            // A defect of ours, set off by what the peer sent: it costs this link, not the process.
            Fail($"{trouble.GetType().Name}: {trouble.Message}");
        }
        finally
        {
            Finish(opened);
        }
    }

    private void Open()
    {
        if (_remote is { } remote)
            _socket.Connect(remote.Host, remote.Port!.Value);
        _socket.NoDelay = _transport.Settings.NoDelay;
        if (OperatingSystem.IsLinux())
        {
            // A peer that acknowledges nothing for so long is gone: without this the kernel tries for a quarter of an hour.
            Span<byte> milliseconds = stackalloc byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(milliseconds, 20_000);
            _socket.SetRawSocketOption(IpProtoTcp, TcpUserTimeout, milliseconds);
        }
        Stream stream = new NetworkStream(_socket, ownsSocket: false);
        _stream = _transport.Settings.Tls is { } tls ? tls.Authenticate(stream, IsInbound) : stream;
    }

    private void ReadLoop()
    {
        var buffer = new byte[HeaderBytes + UntrustedFrameBytes];
        var have = 0;
        while (true)
        {
            var read = _stream!.Read(buffer, have, buffer.Length - have);
            if (read == 0)
            {
                Fail("the peer has closed the connection");
                return;
            }
            have += read;
            var at = 0;
            var wanted = HeaderBytes;
            while (have - at >= HeaderBytes)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(at));
                var limit = _trusted ? _transport.Settings.MaximumFrameBytes : UntrustedFrameBytes;
                if (length <= 0 || length > limit)
                {
                    Fail($"a frame of {length} bytes, at most {limit} are taken");
                    return;
                }
                wanted = HeaderBytes + length;
                if (have - at < wanted)
                    break;
                _handler.Received(this, buffer.AsSpan(at + HeaderBytes, length));
                if (_closing)
                    return;
                at += wanted;
                wanted = HeaderBytes;
            }
            have -= at;
            var room = Math.Max(wanted, _trusted ? UsualBufferBytes : 0);
            if (room > buffer.Length)
            {
                var larger = new byte[room];
                buffer.AsSpan(at, have).CopyTo(larger);
                buffer = larger;
            }
            else if (at > 0)
            {
                buffer.AsSpan(at, have).CopyTo(buffer);
            }
        }
    }

    private void WriteLoop()
    {
        try
        {
            while (Swap() is { } count)
                _stream!.Write(_sending, 0, count);
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception trouble) when (trouble is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
            Fail(trouble.Message);
            Dispose();
        }
        finally
        {
            lock (_gate)
            {
                _sent = true;
                _filled = 0;
                Monitor.PulseAll(_gate);
            }
        }
    }

    // Waits for something to send and takes it; null once the link is closing and everything is sent.
    private int? Swap()
    {
        lock (_gate)
        {
            if (_sending.Length > UsualBufferBytes)
                _sending = new byte[UsualBufferBytes];
            while (_filled == 0)
            {
                if (_closing)
                    return null;
                _writerWaits = true;
                Monitor.Wait(_gate);
                _writerWaits = false;
            }
            (_filling, _sending) = (_sending, _filling);
            var count = _filled;
            _filled = 0;
            return count;
        }
    }

    private void End(string reason)
    {
        if (_trusted)
            return;
        Fail(reason);
        Dispose();
    }

    // The first reason is the true one: what follows are its consequences.
    private void Fail(string reason)
    {
        lock (_gate)
        {
            _reason ??= reason;
            _closing = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Finish(bool opened)
    {
        _deadline?.Cancel();
        if (opened)
            WaitUntilSent(TimeSpan.FromSeconds(1));
        Dispose();
        _stream?.Dispose();
        if (IsInbound && !_trusted)
            _transport.HandshakeDone();
        _transport.Gone(this);
        _handler.Closed(opened ? this : null, _reason ?? "closed");
    }
}
