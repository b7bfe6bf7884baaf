namespace Userfault.Simulation;

/// <summary>
/// Hosts and the connections between them. Like TCP, a connection carries frames in order, each once, until it breaks:
/// a lost frame is retransmitted and arrives later, none arrives twice, and none overtakes another on one connection.
/// On a cut network, frames wait and are delivered when it is healed.
/// </summary>
internal sealed class SimNetwork
{
    private readonly List<SimHost> _hosts = [];
    private readonly HashSet<(SimHost From, SimHost To)> _cut = [];
    private readonly List<SimConnection> _connections = [];
    private readonly Dictionary<string, long> _opened = [];

    /// <summary>A network without hosts.</summary>
    public SimNetwork(SimWorld world, SimNetworkSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(world);
        (World, Settings) = (world, settings ?? new SimNetworkSettings());
    }

    /// <summary>The world that it is part of.</summary>
    public SimWorld World { get; }

    /// <summary>Its settings from now on.</summary>
    public SimNetworkSettings Settings { get; set; }

    /// <summary>Its hosts, in the order of creation.</summary>
    public IReadOnlyList<SimHost> Hosts => _hosts;

    /// <summary>A new host.</summary>
    public SimHost AddHost(string name)
    {
        if (_hosts.Exists(h => h.Name == name))
            throw new ArgumentException($"there is a host {name} already", nameof(name));
        var host = new SimHost(name, _hosts.Count + 1);
        _hosts.Add(host);
        return host;
    }

    /// <summary>The host of a name.</summary>
    public SimHost? Find(string? name) => _hosts.Find(h => h.Name == name);

    /// <summary>Cuts the network between two groups, both ways.</summary>
    public void Cut(IEnumerable<SimHost> one, IEnumerable<SimHost> other)
    {
        ArgumentNullException.ThrowIfNull(one);
        var others = other.ToArray();
        foreach (var left in one)
        {
            foreach (var right in others)
            {
                CutOneWay(left, right);
                CutOneWay(right, left);
            }
        }
    }

    /// <summary>Cuts the network in one direction.</summary>
    public void CutOneWay(SimHost from, SimHost to) => _cut.Add((from, to));

    /// <summary>Heals every cut: frames that have waited are sent.</summary>
    public void Heal()
    {
        _cut.Clear();
        foreach (var connection in _connections.ToArray())
            connection.Flow();
    }

    /// <summary>Is nothing delivered from one host to another?</summary>
    public bool IsCut(SimHost from, SimHost to) => _cut.Contains((from, to));

    /// <summary>Breaks every connection with the frames in flight; new ones can be made at once.</summary>
    public void BreakConnections()
    {
        foreach (var connection in _connections.ToArray())
            connection.Break("connection reset");
    }

    /// <summary>A host's process ends.</summary>
    /// <param name="host">The host.</param>
    /// <param name="silently">
    /// As by a power failure: no other host is notified, and its connections go silent. Otherwise as by kill -9: its
    /// operating system closes them.
    /// </param>
    public void Kill(SimHost host, bool silently = false)
    {
        ArgumentNullException.ThrowIfNull(host);
        host.IsUp = false;
        host.Incarnation++;
        host.Listeners.Clear();
        foreach (var connection in _connections.Where(c => c.Caller == host || c.Called == host).ToArray())
        {
            if (silently)
                connection.GoDumb();
            else
                connection.Break("the node is gone");
        }
    }

    /// <summary>Starts a host again, without any former state.</summary>
    public void Restart(SimHost host)
    {
        ArgumentNullException.ThrowIfNull(host);
        // A new process resets the connections that its predecessor left open.
        foreach (var connection in _connections.Where(c => c.Caller == host || c.Called == host).ToArray())
            connection.Break("connection reset");
        host.IsUp = true;
        host.LineFreeNs = World.NowNs;
    }

    /// <summary>Opens a connection: one of the two callbacks is called later.</summary>
    internal void Connect(
        SimHost caller,
        SimHost? called,
        int port,
        Action<SimConnection> opened,
        Action<string> failed
    )
    {
        var name = $"{caller.Name} to {called?.Name}:{port}";
        var number = _opened[name] = _opened.GetValueOrDefault(name) + 1;
        var (label, process) = (new SimLabel(name), caller.Incarnation);
        // A stream of its own: the order in which a step sends to several hosts must not change the latency of each.
        var random = World.Random($"{name} {number}");
        if (called is null || !called.IsUp || IsCut(caller, called) || IsCut(called, caller))
        {
            World.At(World.NowNs + Settings.ConnectTimeoutNs, label, () => failed("no answer"));
            return;
        }

        // A handshake: one round trip.
        World.At(
            World.NowNs + LatencyNs(caller, called, random) + LatencyNs(called, caller, random),
            label,
            () =>
            {
                if (caller.Incarnation != process || !called.Listeners.TryGetValue(port, out var accept))
                {
                    failed("connection refused");
                    return;
                }

                var connection = new SimConnection(this, caller, called, label, random);
                _connections.Add(connection);
                accept(connection);
                opened(connection);
            }
        );
    }

    internal void Forget(SimConnection connection) => _connections.Remove(connection);

    internal long LatencyNs(SimHost from, SimHost to, SimRandom random) =>
        Settings.Latency.Draw(random) * Math.Max(from.Slowdown, to.Slowdown);
}
