using System.Net.Sockets;

namespace Userfault.DataPlane;

/// <summary>
/// The portable shell of the server, also used for TLS: one thread accepts, and each connection has a thread that reads
/// and one that writes. A timer checks the timeouts of all connections and cuts those that are too slow.
/// </summary>
internal sealed class StreamServer : IDisposable
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly Socket _listener;
    private readonly PageServerOptions _options;
    private readonly ServerContents _contents;
    private readonly Lock _lock = new();
    private readonly HashSet<StreamConnection> _connections = [];
    private readonly Thread _thread;
    private readonly ITimer _timer;
    private volatile bool _isStopping;

    public StreamServer(Socket listener, PageServerOptions options, ServerContents contents)
    {
        _listener = listener;
        _options = options;
        _contents = contents;
        _timer = options.Time.CreateTimer(_ => Watch(), state: null, Tick, Tick);
        _thread = new Thread(Accept) { IsBackground = true, Name = "page server: accept" };
        _thread.Start();
    }

    public void Dispose()
    {
        _isStopping = true;
        _listener.Dispose();
        _thread.Join();
        _timer.Dispose();
        foreach (var connection in Snapshot())
        {
            connection.Dispose();
        }
    }

    private void Accept()
    {
        while (!_isStopping)
        {
            Socket socket;
            try
            {
                socket = _listener.Accept();
                socket.NoDelay = true;
            }
            catch (SocketException) when (!_isStopping)
            {
                // The peer has already disconnected.
                continue;
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
            _contents.Counters.CountAccepted();
            lock (_lock)
            {
                // One connection past the limit is refused with a message, by the normal path; those beyond are only
                // closed.
                var isOne = _connections.Count == _options.MaxConnections;
                if (_connections.Count > _options.MaxConnections)
                {
                    PeerName.LogRefusal(_options, _contents.Counters, PeerName.Of(socket), TooMany());
                    socket.Dispose();
                    continue;
                }
                var connection = new StreamConnection(socket, _options, _contents, isOne ? TooMany() : null, Forget);
                _connections.Add(connection);
                connection.Start();
            }
        }
    }

    private Refusal TooMany() =>
        new(RefusalReason.TooManyConnections, $"{_options.MaxConnections} connections are open");

    private void Watch()
    {
        foreach (var connection in Snapshot())
        {
            connection.CheckTime();
        }
    }

    private void Forget(StreamConnection connection)
    {
        lock (_lock)
        {
            _connections.Remove(connection);
        }
    }

    private StreamConnection[] Snapshot()
    {
        lock (_lock)
        {
            return [.. _connections];
        }
    }
}
