using Akka.Actor;

namespace Userfault.Simulation.Cluster;

/// <summary>The running processes and the network between them, for their memberships.</summary>
internal sealed class SimMembershipNet(SimNetwork network, string systemName, SimMembershipSettings settings)
{
    private readonly Dictionary<Address, SimMembership> _current = [];
    private readonly SimLabel _label = new("membership");

    public SimWorld World => network.World;

    public SimMembershipSettings Settings { get; set; } = settings;

    public Address AddressOf(SimHost host) => new("akka.tcp", systemName, host.Name, SimMembership.Port);

    public void Register(SimMembership membership) => _current[membership.Self.Address] = membership;

    /// <summary>The process that currently runs at an address.</summary>
    public SimMembership? Find(Address address) =>
        _current.TryGetValue(address, out var found) && found.IsAlive ? found : null;

    public NodeLink LinkOf(SimHost from, Address to) =>
        new(network, from, network.Find(to.Host), SimMembership.Port, Settings);

    /// <summary>
    /// Sends a message of the membership itself. It takes the network's one-way latency, is unordered, and is lost if
    /// the network is cut: all such messages are repeated.
    /// </summary>
    public void Send(SimMembership from, Address to, Action<SimMembership> arrived)
    {
        var (source, target) = (network.Find(from.Self.Address.Host)!, network.Find(to.Host));
        if (target is null || !from.IsAlive || network.IsCut(source, target))
            return;
        World.At(
            World.NowNs + network.LatencyNs(source, target, from.Random),
            _label,
            () =>
            {
                if (!network.IsCut(source, target) && Find(to) is { } other)
                    arrived(other);
            }
        );
    }
}
