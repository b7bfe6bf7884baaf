using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Akka.Actor;
using Akka.Event;

namespace Akka.Remote.Transport;

/// <summary>
/// Frames over TCP, each after its length in 4 bytes, optionally inside TLS. Threads of its own, two a link: actors
/// never wait for a socket, and no socket work lands on their dispatchers.
/// </summary>
internal sealed class TcpTransport(ExtendedActorSystem system) : IRemoteTransport, IDisposable
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(1);

    private readonly TcpSettings _settings = new(system.Settings.Config);
    private readonly ILoggingAdapter _log = Logging.GetLogger(system, "tcp");
    private readonly HashSet<TcpLink> _links = [];
    private readonly Lock _gate = new();
    private Socket? _listener;
    private int _pendingHandshakes;
    private bool _shutDown;

    public TcpSettings Settings => _settings;

    public Address Start(Func<ILinkHandler> accept)
    {
        var endpoint = new IPEndPoint(Resolve(_settings.Hostname), _settings.Port);
        _listener = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _listener.Bind(endpoint);
        _listener.Listen(_settings.Backlog);
        var port = _settings.PublicPort != 0 ? _settings.PublicPort : ((IPEndPoint)_listener.LocalEndPoint!).Port;
        StartThread($"{system.Name} accepts", () => AcceptLoop(accept));
        return new Address(_settings.Tls is null ? "akka.tcp" : "akka.ssl.tcp", system.Name, _settings.PublicHostname, port);
    }

    public void Connect(Address remote, ILinkHandler handler)
    {
        var link = new TcpLink(this, handler, remote);
        if (Add(link))
            StartThread($"{system.Name} to {remote.HostPort()}", link.Run);
        else
            system.Scheduler.Advanced.ScheduleOnce(TimeSpan.Zero, () => handler.Closed(null, "this node shuts down"));
    }

    public void FillRandom(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);

    public void Dispose() => Shutdown();

    public void Shutdown()
    {
        List<TcpLink> links;
        lock (_gate)
        {
            _shutDown = true;
            links = [.. _links];
        }
        _listener?.Dispose();
        foreach (var link in links)
            link.Close("this node shuts down");
        foreach (var link in links)
            link.WaitUntilSent(Linger);
        foreach (var link in links)
            link.Dispose();
    }

    /// <summary>Ends a link that by then is not trusted, or not empty after Close.</summary>
    internal ICancelable Deadline(TimeSpan after, Action action)
    {
        var cancel = new Cancelable(system.Scheduler.Advanced);
        system.Scheduler.Advanced.ScheduleOnce(after, action, cancel);
        return cancel;
    }

    internal void AbortLater(TcpLink link)
    {
        lock (_gate)
        {
            if (_shutDown)
                return;
        }
        system.Scheduler.Advanced.ScheduleOnce(Linger, link.Dispose);
    }

    internal void Gone(TcpLink link)
    {
        lock (_gate)
            _links.Remove(link);
    }

    internal void HandshakeDone() => Interlocked.Decrement(ref _pendingHandshakes);

    internal static void StartThread(string name, Action run)
        => new Thread(() => run()) { IsBackground = true, Name = name }.Start();

    private void AcceptLoop(Func<ILinkHandler> accept)
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = _listener!.Accept();
            }
            catch (Exception trouble) when (trouble is SocketException or ObjectDisposedException)
            {
                lock (_gate)
                {
                    if (_shutDown)
                        return;
                }
                continue;
            }
            if (Interlocked.Increment(ref _pendingHandshakes) > _settings.PendingHandshakes)
            {
                HandshakeDone();
                _log.Warning("Refused the peer at {0}: {1} others are in the middle of their handshake", socket.RemoteEndPoint, _settings.PendingHandshakes);
                socket.Dispose();
                continue;
            }
            var link = new TcpLink(this, accept(), socket);
            if (Add(link))
                StartThread($"{system.Name} from {link.Peer}", link.Run);
            else
                socket.Dispose();
        }
    }

    private bool Add(TcpLink link)
    {
        lock (_gate)
            return !_shutDown && _links.Add(link);
    }

    private static IPAddress Resolve(string hostname)
        => IPAddress.TryParse(hostname, out var address) ? address : Dns.GetHostAddresses(hostname)[0];
}
