using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Serialization;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>What the serializers let pass, and how they refuse.</summary>
public sealed class AllowListTests(WireRig rig) : IClassFixture<WireRig>
{
    private const string Join = "Akka.Cluster.InternalClusterAction+Join, Akka.Cluster";

    private Serialization Wire => rig.System.Serialization;

    [Theory]
    [InlineData(5, "Akka.Cluster.ClusterUserAction+Down, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.ClusterUserAction+Leave, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.Routing.ClusterRouterPool, Akka.Cluster")]
    [InlineData(5, "Akka.Cluster.ClusterHeartbeatSender+Heartbeat, Akka.Cluster")]
    [InlineData(5, "hb")]
    [InlineData(5, "")]
    [InlineData(5, null)]
    [InlineData(6, "Akka.Actor.ActorSelectionMessage, Akka")]
    [InlineData(9, "C")]
    [InlineData(9, "D")]
    [InlineData(9, "E")]
    [InlineData(9, "F")]
    [InlineData(1706, "report/1")]
    [InlineData(1706, null)]
    [InlineData(1, "System.String, System.Private.CoreLib")]
    [InlineData(0, "System.Object, System.Private.CoreLib")]
    [InlineData(16, "PP")]
    [InlineData(17, "S")]
    [InlineData(22, "Akka.Dispatch.SysMsg.Terminate, Akka")]
    public void What_is_not_on_a_list_is_refused_unread(int serializer, string? manifest) =>
        Assert.Throws<SerializationException>(() => Wire.Deserialize([], serializer, manifest!));

    [Theory]
    [InlineData(5, "HB")]
    [InlineData(5, Join)]
    [InlineData(6, "")]
    [InlineData(9, "A")]
    [InlineData(1706, "report/2")]
    public void What_cannot_be_read_is_refused_alike(int serializer, string manifest)
    {
        var refusal = Assert.Throws<SerializationException>(() => Wire.Deserialize([0xFF, 0xFF], serializer, manifest));
        Assert.InRange(refusal.Message.Length, 1, 400);
    }

    public static TheoryData<string, bool> Hosts => new()
    {
        { "127.0.0.1", true }, { "[::1]", true }, { "[fe80::1]", true }, { "node-1.example.org", true }, { "localhost", true },
        { "", false }, { "a b", false }, { "a/b", false }, { "[::1", false }, { "a@b", false }, { new string('h', 5000), false },
    };

    [Theory]
    [MemberData(nameof(Hosts))]
    public void The_membership_hears_of_nodes_with_addresses(string host, bool isOne)
    {
        byte[] node = [.. Proto.Bytes(1,
        [
            .. Proto.Text(1, rig.System.Name), .. Proto.Text(2, host), .. Proto.Number(3, 7), .. Proto.Text(4, rig.System.Provider.DefaultAddress.Protocol),
        ]), .. Proto.Number(2, 1)];
        var messages = new Dictionary<string, byte[]>
        {
            [Join] = Proto.Bytes(1, node),
            ["HBR"] = Proto.Bytes(1, node),
            ["Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster"] = node,
            ["Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster"] =
                [.. Proto.Bytes(1, node), .. Proto.Bytes(2, [.. Proto.Bytes(1, node), .. Proto.Bytes(5, []), .. Proto.Bytes(6, [])])],
            ["Akka.Cluster.GossipEnvelope, Akka.Cluster"] =
                [.. Proto.Bytes(1, node), .. Proto.Bytes(2, node), .. Proto.Bytes(3, [.. Proto.Bytes(1, node), .. Proto.Bytes(5, []), .. Proto.Bytes(6, [])])],
        };
        foreach (var (manifest, bytes) in messages)
        {
            if (isOne) Assert.NotNull(Wire.Deserialize(bytes, 5, manifest));
            else Assert.Throws<SerializationException>(() => Wire.Deserialize(bytes, 5, manifest));
        }
    }

    [Fact]
    public void A_message_to_a_path_may_hold_any_that_crosses_nodes_but_no_such_message()
    {
        var said = new Said(1706, "get-nodes/1", []);
        var once = said.To("user", "node");
        var message = Assert.IsType<ActorSelectionMessage>(Wire.Deserialize(once.Bytes, 6, ""));
        Assert.Same(NodeProtocol.GetNodes.Instance, message.Message);

        Assert.Throws<SerializationException>(() => Wire.Deserialize(once.To("user", "node").Bytes, 6, ""));

        // And the thread is not spoilt by it.
        Assert.IsType<ActorSelectionMessage>(Wire.Deserialize(once.Bytes, 6, ""));
    }

    [Fact]
    public void What_a_refusal_quotes_of_a_peer_is_short_and_harmless()
    {
        var evil = "\u001b[2J\n" + new string('x', 10_000);
        foreach (var serializer in (int[])[0, 1, 5, 6, 9, 1706])
        {
            var refusal = Assert.Throws<SerializationException>(() => Wire.Deserialize(Encoding.UTF8.GetBytes(evil), serializer, evil));
            Assert.InRange(refusal.Message.Length, 1, 400);
            Assert.DoesNotContain(refusal.Message, char.IsControl);
        }
    }

    public static TheoryData<object> Outgoing => new()
    {
        "boo", 1, 2L, new byte[] { 3 }, new object(), PoisonPill.Instance, Kill.Instance, new Identify(1), new Status.Success("boo"), new Terminate(),
        Props.Empty, new ActorSelectionMessage("boo", [new SelectChildName("user")]),
    };

    [Theory]
    [MemberData(nameof(Outgoing))]
    public void Nothing_else_is_sent(object message) => Assert.Throws<SerializationException>(() => Wire.Serialize(message));
}
