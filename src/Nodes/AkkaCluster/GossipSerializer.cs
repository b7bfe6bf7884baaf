using Akka.Actor;
using Akka.Cluster.Serialization;
using Google.Protobuf;

namespace Userfault.Nodes;

/// <summary>
/// What members tell each other to keep the membership. Not among it: Leave and Down, which a node only tells itself, so that
/// no peer takes out another by one message; heartbeats of former versions; and routers, which hold a payload of any kind.
/// </summary>
/// <remarks>
/// The addresses in it are looked at first. Akka.Cluster lets whoever asks join, and connects to it afterwards: a member without a host
/// makes that throw in every node at once, and each takes that for its end.
/// </remarks>
/// <param name="system">The actor system.</param>
internal sealed class GossipSerializer(ExtendedActorSystem system)
    : AllowListSerializer(system, identifier: 5, new ClusterMessageSerializer(system), Addresses.Keys.ToHashSet())
{
    private static readonly AddressFields Gossip = new((1, AddressFields.Node));

    private static readonly Dictionary<string, AddressFields> Addresses = new()
    {
        ["HB"] = new((1, AddressFields.Address)),
        ["HBR"] = new((1, AddressFields.Node)),
        ["Akka.Cluster.GossipEnvelope, Akka.Cluster"] = new((1, AddressFields.Node), (2, AddressFields.Node), (3, Gossip)),
        ["Akka.Cluster.GossipStatus, Akka.Cluster"] = new((1, AddressFields.Node)),
        ["Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster"] = AddressFields.Node,
        ["Akka.Cluster.InternalClusterAction+InitJoin, Akka.Cluster"] = AddressFields.None,
        ["Akka.Cluster.InternalClusterAction+InitJoinAck, Akka.Cluster"] = AddressFields.Address,
        ["Akka.Cluster.InternalClusterAction+InitJoinNack, Akka.Cluster"] = AddressFields.Address,
        ["Akka.Cluster.InternalClusterAction+Join, Akka.Cluster"] = new((1, AddressFields.Node)),
        ["Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster"] = new((1, AddressFields.Node), (2, Gossip)),
    };

    /// <inheritdoc/>
    protected override object Read(byte[] bytes, string manifest)
    {
        Addresses[manifest].Check(ByteString.CopyFrom(bytes), IsNode);
        return base.Read(bytes, manifest);
    }

    private bool IsNode(Address address) =>
        address.Protocol == system.Provider.DefaultAddress.Protocol
        && address.System == system.Name
        && Uri.CheckHostName(address.Host) is UriHostNameType.IPv4 or UriHostNameType.IPv6 or UriHostNameType.Dns;
}
