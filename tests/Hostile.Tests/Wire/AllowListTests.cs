using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Serialization;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>What the serializers of a node allow, and how they refuse.</summary>
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
    public void A_manifest_that_is_not_listed_is_refused(int serializer, string? manifest) =>
        Assert.Throws<SerializationException>(() => Wire.Deserialize([], serializer, manifest!));

    [Theory]
    [InlineData(5, "HB")]
    [InlineData(5, Join)]
    [InlineData(6, "")]
    [InlineData(9, "A")]
    [InlineData(1706, "report/2")]
    public void Bytes_that_are_no_message_are_refused(int serializer, string manifest)
    {
        var refusal = Assert.Throws<SerializationException>(() => Wire.Deserialize([0xFF, 0xFF], serializer, manifest));
        Assert.InRange(refusal.Message.Length, 1, 400);
    }

    public static TheoryData<string, bool> Hosts => new()
    {
        { "127.0.0.1", true }, { "[::1]", true }, { "[fe80::1]", true }, { "node-1.example.org", true },
        { "localhost", true }, { "", false }, { "a b", false }, { "a/b", false }, { "[::1", false }, { "a@b", false },
        { new string('h', 5000), false },
    };

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Messages_of_the_membership_name_valid_addresses_only(string host, bool isOne)
    {
        var self = rig.System.Provider.DefaultAddress;
        byte[] address =
        [
            .. Proto.Text(1, self.System), .. Proto.Text(2, host), .. Proto.Number(3, 7),
            .. Proto.Text(4, self.Protocol),
        ];
        byte[] node = [.. Proto.Bytes(1, address), .. Proto.Number(2, 1)];
        byte[] gossip = [.. Proto.Bytes(1, node), .. Proto.Bytes(5, []), .. Proto.Bytes(6, [])];
        var messages = new Dictionary<string, byte[]>
        {
            [Join] = Proto.Bytes(1, node),
            ["HBR"] = Proto.Bytes(1, node),
            ["Akka.Cluster.InternalClusterAction+ExitingConfirmed, Akka.Cluster"] = node,
            ["Akka.Cluster.InternalClusterAction+Welcome, Akka.Cluster"] =
                [.. Proto.Bytes(1, node), .. Proto.Bytes(2, gossip)],
            ["Akka.Cluster.GossipEnvelope, Akka.Cluster"] =
                [.. Proto.Bytes(1, node), .. Proto.Bytes(2, node), .. Proto.Bytes(3, gossip)],
        };
        foreach (var (manifest, bytes) in messages)
        {
            if (isOne) Assert.NotNull(Wire.Deserialize(bytes, 5, manifest));
            else Assert.Throws<SerializationException>(() => Wire.Deserialize(bytes, 5, manifest));
        }
    }

    [Fact]
    public void An_envelope_holds_any_allowed_message_but_another_envelope()
    {
        var said = new Said(1706, "get-nodes/1", []);
        var once = said.To("user", "node");
        var message = Assert.IsType<ActorSelectionMessage>(Wire.Deserialize(once.Bytes, 6, ""));
        Assert.Same(NodeProtocol.GetNodes.Instance, message.Message);

        Assert.Throws<SerializationException>(() => Wire.Deserialize(once.To("user", "node").Bytes, 6, ""));

        // The thread is not affected by the refusal.
        Assert.IsType<ActorSelectionMessage>(Wire.Deserialize(once.Bytes, 6, ""));
    }

    [Fact]
    public void A_refusal_quotes_little_of_a_peers_text()
    {
        var evil = "\u001b[2J\n" + new string('x', 10_000);
        foreach (var serializer in (int[])[0, 1, 5, 6, 9, 1706])
        {
            var refusal = Assert.Throws<SerializationException>(
                () => Wire.Deserialize(Encoding.UTF8.GetBytes(evil), serializer, evil));
            Assert.InRange(refusal.Message.Length, 1, 400);
            Assert.DoesNotContain(refusal.Message, char.IsControl);
        }
    }

    public static TheoryData<object> Outgoing => new()
    {
        "boo", 1, 2L, new byte[] { 3 }, new object(), PoisonPill.Instance, Kill.Instance, new Identify(1),
        new Status.Success("boo"), new Terminate(), Props.Empty,
        new ActorSelectionMessage("boo", [new SelectChildName("user")]),
    };

    [Theory]
    [MemberData(nameof(Outgoing))]
    public void Other_messages_are_not_sent(object message) =>
        Assert.Throws<SerializationException>(() => Wire.Serialize(message));
}
