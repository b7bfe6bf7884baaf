using Akka.Actor;

namespace Userfault.Simulation.Cluster;

/// <summary>The processes that are there, and the network between them, for their memberships.</summary>
internal sealed class SimMembershipNet(SimNetwork network, string systemName, SimMembershipSettings settings)
{
    private readonly Dictionary<Address, SimMembership> _current = [];
    private readonly SimLabel _label = new("membership");

    public SimWorld World => network.World;

    public SimMembershipSettings Settings { get; set; } = settings;

    public Address AddressOf(SimHost host) => new("akka.tcp", systemName, host.Name, SimMembership.Port);

    public void Register(SimMembership membership) => _current[membership.Self.Address] = membership;

    /// <summary>The process that runs at an address now.</summary>
    public SimMembership? Find(Address address) => _current.TryGetValue(address, out var found) && found.IsAlive ? found : null;

    public NodeLink LinkOf(SimHost from, Address to) => new(network, from, network.Find(to.Host), SimMembership.Port, Settings);

    /// <summary>
    /// The membership's own words. They take the network's time one way, in no order, and are lost where it is cut: all of them are
    /// said again.
    /// </summary>
    public void Send(SimMembership from, Address to, Action<SimMembership> arrived)
    {
        var (source, target) = (network.Find(from.Self.Address.Host)!, network.Find(to.Host));
        if (target is null || !from.IsAlive || network.IsCut(source, target)) return;
        World.At(World.NowNs + network.LatencyNs(source, target, from.Random), _label, () =>
        {
            if (!network.IsCut(source, target) && Find(to) is { } other) arrived(other);
        });
    }
}
