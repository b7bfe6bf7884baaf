using Akka.Actor;
using Akka.Remote.Transport;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>
/// Links between the nodes of a world, with a latency from the seed. A cut link holds what is sent, as TCP does, and
/// delivers it when it is healed; a dead node's links close.
/// </summary>
internal sealed class SimNetwork(SimWorld world)
{
    private readonly SortedDictionary<int, Node> _listening = [];
    private readonly HashSet<(int From, int To)> _cut = [];
    private readonly List<SimLink> _links = [];

    public IRemoteTransport Transport(string system, int port) => new Node(this, system, port);

    public void Cut(IReadOnlyCollection<int> one, IReadOnlyCollection<int> other)
    {
        foreach (var (left, right) in one.SelectMany(left => other.Select(right => (left, right))))
        {
            _cut.Add((left, right));
            _cut.Add((right, left));
        }
    }

    public void Heal()
    {
        _cut.Clear();
        foreach (var link in _links.ToList())
            link.Flow();
    }

    /// <summary>Every connection is lost with what is under way on it; new ones may be opened.</summary>
    public void Break()
    {
        foreach (var link in _links.ToList())
            link.Break("connection reset");
    }

    /// <summary>The node is gone and says nothing more; its peers see their links close.</summary>
    public void Kill(int port)
    {
        if (_listening.TryGetValue(port, out var node))
            node.Shutdown();
    }

    private TimeSpan Latency() => TimeSpan.FromMilliseconds(1 + (world.Random.NextDouble() * 5));

    private void Connect(Node caller, int to, ILinkHandler handler) => world.After(Latency(), () =>
    {
        var from = caller.Port;
        if (caller.IsDead || _cut.Contains((from, to)) || !_listening.TryGetValue(to, out var called))
        {
            world.After(TimeSpan.FromSeconds(1), () => handler.Closed(null, "nobody answers"));
            return;
        }
        var there = called.Accept();
        var near = new SimLink(this, from, to, there);
        var far = new SimLink(this, to, from, handler) { Other = near };
        near.Other = far;
        _links.Add(near);
        _links.Add(far);
        there.Opened(far);
        handler.Opened(near);
    });

    private sealed class Node(SimNetwork network, string system, int port) : IRemoteTransport
    {
        public int Port => port;

        public Func<ILinkHandler> Accept { get; private set; } = null!;

        public bool IsDead { get; private set; }

        public Address Start(Func<ILinkHandler> accept)
        {
            Accept = accept;
            network._listening[port] = this;
            return new Address("akka.tcp", system, "sim", port);
        }

        public void Connect(Address remote, ILinkHandler handler) => network.Connect(this, remote.Port!.Value, handler);

        public void FillRandom(Span<byte> bytes) => network.World.Random.NextBytes(bytes);

        public void Shutdown()
        {
            if (IsDead)
                return;
            IsDead = true;
            network._listening.Remove(port);
            foreach (var link in network._links.Where(link => link.From == port || link.To == port).ToList())
                link.Break("the node is gone");
        }
    }

    private SimWorld World => world;

    /// <summary>One direction of a connection; its frames go to the handler at the other end.</summary>
    private sealed class SimLink(SimNetwork network, int from, int to, ILinkHandler receiver) : ILink
    {
        private readonly Queue<byte[]> _held = new();
        private TimeSpan _lastArrival;
        private bool _closed;

        public int From => from;

        public int To => to;

        public SimLink Other { get; set; } = null!;

        public string Peer => $"sim:{to}";

        public void Trust()
        {
        }

        public bool TrySend(ReadOnlySpan<byte> frame, bool urgent)
        {
            if (_closed)
                return false;
            network.World.Note($"{from}>{to} {frame[0]}");
            _held.Enqueue(frame.ToArray());
            Flow();
            return true;
        }

        public void Flow()
        {
            while (!network._cut.Contains((from, to)) && _held.TryDequeue(out var frame))
            {
                var arrival = network.World.Now + network.Latency();
                _lastArrival = arrival > _lastArrival ? arrival : _lastArrival;
                network.World.After(_lastArrival - network.World.Now, () =>
                {
                    if (!_closed)
                        receiver.Received(Other, frame);
                });
            }
        }

        public void Close(string reason) => network.World.After(network.Latency(), () => Break(reason));

        public void Break(string reason)
        {
            if (_closed)
                return;
            _closed = true;
            network._links.Remove(this);
            network.World.After(TimeSpan.Zero, () => receiver.Closed(Other, reason));
            Other.Break(reason);
        }
    }
}
