using Akka.Actor;
using Akka.Cluster.Serialization;
using Google.Protobuf;

namespace Userfault.Nodes;

/// <summary>
/// The messages with which members maintain the membership. Not allowed are Leave and Down, which a node sends only to
/// itself, so that no peer removes a member by one message; heartbeats of earlier versions; and routers, which hold a
/// payload of any type.
/// </summary>
/// <remarks>
/// Addresses are validated first. Akka.Cluster admits any node that asks to join and connects to it afterwards. A
/// member whose address has no host makes that throw on every node, and Akka.Cluster then shuts down every node.
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
        ["Akka.Cluster.GossipEnvelope, Akka.Cluster"] = new(
            (1, AddressFields.Node),
            (2, AddressFields.Node),
            (3, Gossip)
        ),
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
