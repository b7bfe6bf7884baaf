using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace Userfault.DataPlane;

/// <summary>
/// One connection of the <see cref="StreamServer"/>. The session is guarded by a lock: the reading thread feeds it, and
/// the writing thread takes batches from it and copies them into one buffer per write, which suits TLS records.
/// </summary>
internal sealed unsafe class StreamConnection : IDisposable
{
    private const int BufferBytes = 64 << 10;
    private const long LingerMs = 1000;

    private readonly Socket _socket;
    private readonly PageServerOptions _options;
    private readonly ServerContents _contents;
    private readonly Action<StreamConnection> _ended;
    private readonly string _peer;
    private readonly object _gate = new();
    private readonly ServerSession _session;
    private readonly Thread _reader;
    private Thread? _writer;
    private Stream? _stream;
    private long _writingSinceMs = long.MaxValue;
    private long _lingeringSinceMs = long.MaxValue;
    private bool _isOver;

    public StreamConnection(
        Socket socket,
        PageServerOptions options,
        ServerContents contents,
        Refusal? refusal,
        Action<StreamConnection> ended
    )
    {
        _socket = socket;
        _options = options;
        _contents = contents;
        _ended = ended;
        _peer = PeerName.Of(socket);
        _session = new ServerSession(options, contents, Wake, NowMs);
        if (refusal is Refusal known)
        {
            _session.Refuse(known.Reason, known.Text);
        }
        _reader = new Thread(Read) { IsBackground = true, Name = "page server: read" };
    }

    private long NowMs => _options.Time.GetTimestamp() / (_options.Time.TimestampFrequency / 1000);

    public void Start() => _reader.Start();

    /// <summary>Cuts the connection and waits for its threads.</summary>
    public void Dispose()
    {
        Cut();
        _reader.Join();
        _session.Dispose();
    }

    /// <summary>Ends the blocking calls of both threads; unsent bytes are lost.</summary>
    private void Cut() => _socket.Dispose();

    public void CheckTime()
    {
        lock (_gate)
        {
            var nowMs = NowMs;
            _session.CheckTime(nowMs);
            var isStalled = nowMs - Volatile.Read(ref _writingSinceMs) > _options.FrameTimeout.TotalMilliseconds;
            if (isStalled)
            {
                _session.Refuse(RefusalReason.TooSlow, "reads too slowly");
            }
            var isRefused = _session.Refused.Reason != RefusalReason.None;
            // A peer still in its TLS handshake cannot be sent the reason; one that was sent it has a while to read it.
            if (isStalled || (isRefused && _stream is null) || nowMs - LingerMs > _lingeringSinceMs)
            {
                Cut();
            }
            if (isRefused)
            {
                Monitor.PulseAll(_gate);
            }
        }
    }

    private void Read()
    {
        try
        {
            var stream = Open();
            lock (_gate)
            {
                _stream = stream;
            }
            _writer = new Thread(Write) { IsBackground = true, Name = "page server: write" };
            _writer.Start();
            var buffer = new byte[BufferBytes];
            int bytes;
            while ((bytes = stream.Read(buffer)) > 0)
            {
                lock (_gate)
                {
                    _session.Receive(buffer.AsSpan(0, bytes), NowMs);
                    Monitor.PulseAll(_gate);
                }
            }
        }
        catch (Exception e)
            when (e is AuthenticationException or IOException or SocketException or ObjectDisposedException)
        {
            // The peer, or the watch, has cut the connection: the log gives the reason if there is a refusal.
            lock (_gate)
            {
                if (_stream is null)
                {
                    _session.Refuse(RefusalReason.Untrusted, OneLine(e.GetBaseException().Message));
                }
            }
        }
        End();
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ");

    private Stream Open()
    {
        var plain = new NetworkStream(_socket, ownsSocket: true);
        if (_options.Tls is null)
        {
            return plain;
        }
        var secure = new SslStream(plain);
        try
        {
            secure.AuthenticateAsServer(_options.Tls);
        }
        catch (Exception e)
            when (e is not (AuthenticationException or IOException or SocketException or ObjectDisposedException))
        {
            // An unexpected exception that a peer's bytes cause in the TLS stack ends this connection, not this
            // process.
            throw new AuthenticationException(e.Message, e);
        }
        return secure;
    }

    private void Write()
    {
        using var batch = new SendBatch();
        var buffer = new byte[BufferBytes * 5];
        try
        {
            while (WaitForOutput(batch))
            {
                var bytes = Gather(batch, buffer);
                Volatile.Write(ref _writingSinceMs, NowMs);
                _stream!.Write(buffer, 0, bytes);
                Volatile.Write(ref _writingSinceMs, long.MaxValue);
                lock (_gate)
                {
                    batch.Sent(bytes);
                }
            }
            // Half closed: the peer's remaining bytes are still read, or it might never see why it was refused.
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
        {
            Cut();
        }
        // Under the lock, because the batch's pages are released to their owners.
        lock (_gate)
        {
            _lingeringSinceMs = NowMs;
        }
    }

    /// <summary>False if the connection has ended or all output has been sent.</summary>
    private bool WaitForOutput(SendBatch batch)
    {
        lock (_gate)
        {
            while (!_isOver && !_session.HasOutput)
            {
                if (_session.IsClosed)
                {
                    return false;
                }
                Monitor.Wait(_gate);
            }
            if (!_isOver)
            {
                _session.Fill(batch);
            }
            return !_isOver;
        }
    }

    private static int Gather(SendBatch batch, byte[] buffer)
    {
        var bytes = 0;
        foreach (var vector in batch.Pending)
        {
            new ReadOnlySpan<byte>(vector.Base, (int)vector.Length).CopyTo(buffer.AsSpan(bytes));
            bytes += (int)vector.Length;
        }
        return bytes;
    }

    private void End()
    {
        Cut();
        lock (_gate)
        {
            _isOver = true;
            Monitor.PulseAll(_gate);
        }
        _writer?.Join();
        _session.Dispose();
        PeerName.LogRefusal(_options, _contents.Counters, _peer, _session.Refused);
        _ended(this);
    }

    private void Wake()
    {
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }
    }
}
