using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>A peer asks to join with an address to which no node can connect.</summary>
[Collection(Victims.Name)]
public sealed class StrangerTests(Victims victims)
{
    public static TheoryData<string, byte[]> Addresses => new()
    {
        { "no host", [.. System, .. Host(""), .. Port(7), .. Protocol] },
        { "no host and no port", [.. System, .. Protocol] },
        { "no port", [.. System, .. Host("127.0.0.1"), .. Port(0), .. Protocol] },
        { "a port beyond all", [.. System, .. Host("127.0.0.1"), .. Port(70_000), .. Protocol] },
        { "a host that is none", [.. System, .. Host("a b/\n"), .. Port(7), .. Protocol] },
        { "another system", [.. Proto.Text(1, "hostile"), .. Host("127.0.0.1"), .. Port(7), .. Protocol] },
        { "another protocol", [.. System, .. Host("127.0.0.1"), .. Port(7), .. Proto.Text(4, "akka.udp")] },
        { "a host and then none", [.. System, .. Host("127.0.0.1"), .. Port(7), .. Protocol, .. Host("")] },
    };

    private static byte[] System => Proto.Text(1, Victim.SystemName);

    private static byte[] Protocol => Proto.Text(4, "akka.tcp");

    [Theory]
    [MemberData(nameof(Addresses))]
    public async Task A_node_without_an_address_does_not_join(string name, byte[] address)
    {
        Assert.NotEmpty(name);
        byte[] node = [.. Proto.Bytes(1, address), .. Proto.Number(2, 4711)];
        byte[] complete = [.. System, .. Host("127.0.0.1"), .. Port(7), .. Protocol];
        byte[] whole = [.. Proto.Bytes(1, complete), .. Proto.Number(2, 4711)];
        using var peer = new RawPeer(victims.First).Associate();
        foreach (var joining in (byte[][])[Proto.Bytes(1, node), [.. Proto.Bytes(1, whole), .. Proto.Bytes(1, node)]])
        {
            var join = new Said(
                5,
                "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster",
                [.. joining, .. Proto.Text(2, NodeRoles.Source), .. Proto.Text(3, "1.0")]);
            peer.Tell("/system/cluster/core/daemon", join);
            peer.Tell("/", join.To("system", "cluster", "core", "daemon"));
        }

        await peer.IsThrough();
        await victims.AreUndisturbed();
    }

    private static byte[] Host(string host) => Proto.Text(2, host);

    private static byte[] Port(uint port) => Proto.Number(3, port);
}
