using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Userfault.Linux;

namespace Userfault.DataPlane;

/// <summary>
/// The Linux shell of the server: one thread, one epoll, all connections. In each turn a connection reads the available
/// bytes and sends one batch, so that no client delays the others. Only this thread accesses connections and sessions;
/// sources behind the server wake it through an eventfd.
/// </summary>
internal sealed unsafe class EpollServer : IDisposable
{
    private const int ReadBytes = 64 << 10;
    private const int TickMs = 50;
    private const long LingerMs = 1000;
    private const long ListenerNumber = 0;
    private const long WakeNumber = 1;

    private readonly Socket _listener;
    private readonly PageServerOptions _options;
    private readonly ServerContents _contents;
    private readonly Epoll _epoll = new();
    private readonly EventCounter _wake = new();
    private readonly ConcurrentQueue<long> _woken = new();
    private readonly Dictionary<long, EpollConnection> _connections = [];
    private readonly Queue<EpollConnection> _ready = new();
    private readonly byte[] _input = GC.AllocateUninitializedArray<byte>(ReadBytes, pinned: true);
    private readonly Thread _thread;
    private long _lastNumber = WakeNumber;
    private long _nextTickMs;
    private bool _isDeaf;
    private bool _isIdle;
    private volatile bool _isStopping;

    public EpollServer(Socket listener, PageServerOptions options, ServerContents contents)
    {
        _listener = listener;
        _options = options;
        _contents = contents;
        _listener.Blocking = false;
        _epoll.Watch(_listener.Handle, Epoll.In, ListenerNumber);
        _epoll.Watch(_wake.Fd, Epoll.In, WakeNumber);
        _thread = new Thread(Run) { IsBackground = true, Name = "page server" };
        _thread.Start();
    }

    public void Dispose()
    {
        _isStopping = true;
        _wake.Signal();
        _thread.Join();
        foreach (var connection in _connections.Values)
        {
            connection.Dispose();
        }
        _epoll.Dispose();
        _wake.Dispose();
    }

    private long NowMs => _options.Time.GetTimestamp() / (_options.Time.TimestampFrequency / 1000);

    private void Run()
    {
        while (!_isStopping)
        {
            var events = _epoll.Wait(_ready.Count > 0 || _isIdle ? 0 : TickMs);
            var nowMs = NowMs;
            // After a whole tick without events, page checksums are computed a few at a time until an event arrives.
            _isIdle = events == 0 && _ready.Count == 0 && _contents.LookAhead();
            for (var i = 0; i < events; i++)
            {
                (var what, var number) = _epoll[i];
                if (number == ListenerNumber)
                {
                    Accept(nowMs);
                }
                else if (number == WakeNumber)
                {
                    _wake.Reset();
                }
                else if (_connections.TryGetValue(number, out var connection))
                {
                    Serve(connection, what, nowMs);
                }
            }
            while (_woken.TryDequeue(out var number))
            {
                if (_connections.TryGetValue(number, out var connection))
                {
                    MakeReady(connection);
                }
            }
            ServeReady(nowMs);
            if (nowMs >= _nextTickMs)
            {
                _nextTickMs = nowMs + TickMs;
                Tick(nowMs);
            }
        }
    }

    private void Accept(long nowMs)
    {
        Socket socket;
        try
        {
            socket = _listener.Accept();
            socket.NoDelay = true;
            Loopback.Prepare(socket);
        }
        catch (SocketException)
        {
            // The peer has disconnected, or descriptors are exhausted. No connection is accepted until the next tick:
            // otherwise epoll would report the listener again at once, in a busy loop.
            _isDeaf = true;
            _epoll.Forget(_listener.Handle);
            return;
        }
        var peer = PeerName.Of(socket);
        var number = ++_lastNumber;
        var session = new ServerSession(_options, _contents, () => Wake(number), nowMs);
        var connection = new EpollConnection(socket, number, session, peer, nowMs);
        _contents.Counters.CountAccepted();
        if (_connections.Count >= _options.MaxConnections)
        {
            session.Refuse(RefusalReason.TooManyConnections, $"{_options.MaxConnections} connections are open");
            connection.Send(nowMs);
            Close(connection);
            return;
        }
        _connections.Add(number, connection);
        _epoll.Watch(connection.Fd, Epoll.In, number);
        Send(connection, nowMs);
    }

    private void Serve(EpollConnection connection, uint what, long nowMs)
    {
        if ((what & (Epoll.In | Epoll.Error | Epoll.HangUp)) != 0 && !Read(connection, nowMs))
        {
            Close(connection);
            return;
        }
        Send(connection, nowMs);
    }

    /// <summary>Reads once. False if the peer has closed or the connection is dead.</summary>
    private bool Read(EpollConnection connection, long nowMs)
    {
        fixed (byte* input = _input)
        {
            var bytes = Libc.Receive(connection.Fd, input, ReadBytes, Libc.MSG_DONTWAIT);
            if (bytes < 0)
            {
                return Marshal.GetLastPInvokeError() is (int)LinuxErrno.EAGAIN or (int)LinuxErrno.EINTR;
            }
            connection.Session.Receive(new ReadOnlySpan<byte>(input, (int)bytes), nowMs);
            return bytes > 0;
        }
    }

    private void Send(EpollConnection connection, long nowMs)
    {
        var wasBlocked = connection.IsBlocked;
        if (!connection.Send(nowMs))
        {
            Close(connection);
            return;
        }
        if (connection.IsBlocked != wasBlocked)
        {
            _epoll.Change(connection.Fd, connection.IsBlocked ? Epoll.In | Epoll.Out : Epoll.In, connection.Number);
        }
        if (!connection.IsBlocked && connection.HasOutput)
        {
            MakeReady(connection);
        }
    }

    private void MakeReady(EpollConnection connection)
    {
        if (!connection.IsReady && !connection.IsBlocked)
        {
            connection.IsReady = true;
            _ready.Enqueue(connection);
        }
    }

    private void ServeReady(long nowMs)
    {
        for (var turn = _ready.Count; turn > 0; turn--)
        {
            var connection = _ready.Dequeue();
            connection.IsReady = false;
            if (_connections.ContainsKey(connection.Number))
            {
                Send(connection, nowMs);
            }
        }
    }

    private void Tick(long nowMs)
    {
        if (_isDeaf)
        {
            _isDeaf = false;
            _epoll.Watch(_listener.Handle, Epoll.In, ListenerNumber);
        }
        foreach (var connection in _connections.Values.ToArray())
        {
            connection.Session.CheckTime(nowMs);
            var isStalled =
                connection.OwesBytes && nowMs - connection.LastProgressMs > _options.FrameTimeout.TotalMilliseconds;
            if (isStalled)
            {
                connection.Session.Refuse(RefusalReason.TooSlow, "reads too slowly");
            }
            if (isStalled || (connection.IsLingering && nowMs - connection.LastProgressMs > LingerMs))
            {
                Close(connection);
            }
            else if (connection.Session.HasOutput)
            {
                MakeReady(connection);
            }
        }
    }

    private void Close(EpollConnection connection)
    {
        if (_connections.Remove(connection.Number))
        {
            _epoll.Forget(connection.Fd);
        }
        PeerName.LogRefusal(_options, _contents.Counters, connection.Peer, connection.Session.Refused);
        connection.Dispose();
    }

    private void Wake(long number)
    {
        _woken.Enqueue(number);
        _wake.Signal();
    }
}
