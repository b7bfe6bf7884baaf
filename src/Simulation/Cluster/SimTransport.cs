using Akka.Actor;
using Akka.Remote.Transport;

namespace Userfault.Simulation.Cluster;

/// <summary>The transport of a simulated node's actor system, over a <see cref="SimNetwork"/> instead of TCP.</summary>
internal sealed class SimTransport(SimNetwork network, SimHost host, string system) : IRemoteTransport
{
    /// <summary>
    /// What a control frame costs the line. Not its own length: that holds incarnation numbers in decimal, and those
    /// differ from process to process.
    /// </summary>
    private const int FrameBytes = 512;

    /// <summary>Where every node's actor system listens.</summary>
    public const int Port = 4053;

    private readonly SimRandom _random = network.World.Random($"node {host.Name} {host.Incarnation}");
    private readonly List<Link> _links = [];
    private readonly int _process = host.Incarnation;

    /// <inheritdoc/>
    public Address Start(Func<ILinkHandler> accept)
    {
        host.Listeners[Port] = connection =>
        {
            var handler = accept();
            var link = new Link(connection, host, connection.Caller, handler);
            connection.CalledEnd = link;
            connection.CalledClosed = reason => End(link, reason);
            _links.Add(link);
            handler.Opened(link);
        };
        return new Address("akka.tcp", system, host.Name, Port);
    }

    /// <inheritdoc/>
    public void Connect(Address remote, ILinkHandler handler)
    {
        if (host.Incarnation != _process) return;
        network.Connect(
        host, network.Find(remote.Host), remote.Port ?? 0,
        connection =>
        {
            var link = new Link(connection, host, connection.Called, handler);
            connection.CallerEnd = link;
            connection.CallerClosed = reason => End(link, reason);
            _links.Add(link);
            handler.Opened(link);
        },
        reason => handler.Closed(null, reason));
    }

    /// <inheritdoc/>
    public void FillRandom(Span<byte> bytes) => _random.Fill(bytes);

    /// <inheritdoc/>
    public void Shutdown()
    {
        if (host.Incarnation != _process) return;
        host.Listeners.Remove(Port);
        foreach (var link in _links.ToArray()) link.Close("the node shuts down");
    }

    private void End(Link link, string reason)
    {
        _links.Remove(link);
        link.Handler.Closed(link, reason);
    }

    // One end of a connection. Frames go to the handler at the other end.
    private sealed class Link(SimConnection connection, SimHost from, SimHost to, ILinkHandler handler) : ILink
    {
        public ILinkHandler Handler => handler;

        public string Peer => to.Name;

        private Link? Other => (from == connection.Caller ? connection.CalledEnd : connection.CallerEnd) as Link;

        public void Trust()
        {
            // Frames of any size are taken from the start.
        }

        public bool TrySend(ReadOnlySpan<byte> frame, bool urgent)
        {
            var copy = frame.ToArray();
            return connection.Send(from, FrameBytes, () => Other?.Handler.Received(Other, copy));
        }

        public void Close(string reason) => connection.Close(from, reason);
    }
}
