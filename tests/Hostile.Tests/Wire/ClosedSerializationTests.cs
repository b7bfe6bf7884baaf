using System.Collections.Concurrent;
using System.Reflection;
using Akka.Configuration;
using Akka.Serialization;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>
/// The serializers of a running node are exactly those that are listed here by identifier. A version of Akka.NET that
/// adds one fails.
/// </summary>
public sealed class ClosedSerializationTests(WireRig rig) : IClassFixture<WireRig>
{
    private static readonly Dictionary<int, string> Accepted = new()
    {
        [5] = "GossipSerializer",
        [6] = "SelectionSerializer",
        [9] = "TopicSerializer",
        [1706] = "NodeMessageSerializer",
    };

    private static readonly int[] Refused = [0, 1, 2, 3, 4, 14, 15, 16, 17, 22, 36];

    [Fact]
    public void A_node_has_these_serializers_and_no_others()
    {
        var byId = Field<Dictionary<int, Serializer>>("_serializersById");
        Assert.Equal(Accepted.Keys.Concat(Refused).Order(), byId.Keys.Order());
        Assert.All(Accepted, a => Assert.Equal(a.Value, byId[a.Key].GetType().Name));
        Assert.All(Refused, id => Assert.IsType<RefusingSerializer>(byId[id]));
        Assert.All(byId, s => Assert.Equal(s.Key, s.Value.Identifier));

        // For any other serializer Akka.NET looks the peer's manifest up as a type.
        Assert.All(byId.Values, s => Assert.IsAssignableFrom<SerializerWithStringManifest>(s));
    }

    [Fact]
    public void Each_name_and_each_binding_leads_to_one_of_them()
    {
        var byId = Field<Dictionary<int, Serializer>>("_serializersById");
        var byName = Field<Dictionary<string, Serializer>>("_serializersByName");
        Assert.Equal(ClosedSerialization.All.Select(s => s.Name).Order(), byName.Keys.Order());
        Assert.All(byName.Values, s => Assert.Same(byId[s.Identifier], s));

        var bindings = Field<ConcurrentDictionary<Type, Serializer>>("_serializerMap");
        Assert.All(bindings.Values, s => Assert.Same(byId[s.Identifier], s));
        Assert.IsType<RefusingSerializer>(rig.System.Serialization.FindSerializerForType(typeof(object)));
        Assert.IsType<RefusingSerializer>(rig.System.Serialization.FindSerializerForType(typeof(Gadget)));
        Assert.IsType<NodeMessageSerializer>(rig.System.Serialization.FindSerializerForType(typeof(NodeReport)));
    }

    [Fact]
    public void No_configuration_overrides_or_extends_the_set()
    {
        var json = ConfigurationFactory.ParseString("""
            akka.actor {
              serializers.json = "Akka.Serialization.NewtonSoftJsonSerializer, Akka"
              serialization-bindings { "System.Object" = bytes, "System.String" = json }
              serialization-settings.json.identifier = 99
            }
            """);
        var closed = ClosedSerialization.Over(json);
        var type = closed.GetString("akka.actor.serializers.json");
        Assert.StartsWith(typeof(RefusingSerializer).FullName!, type, StringComparison.Ordinal);
        Assert.Equal(1, closed.GetInt("akka.actor.serialization-settings.json.identifier"));
        var bindings = closed.GetConfig("akka.actor.serialization-bindings").AsEnumerable();
        Assert.Equal("json", bindings.Single(b => b.Key == "System.Object").Value.GetString());

        var more = ConfigurationFactory.ParseString(
            """akka.actor.serializers { hyperion = "X, Y", another = "Z, Y" }""");
        var refusal = Assert.Throws<ConfigurationException>(() => ClosedSerialization.Over(more));
        Assert.Contains("another, hyperion", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Paths_and_frames_are_limited()
    {
        var config = rig.System.Settings.Config;
        Assert.True(config.GetBoolean("akka.remote.untrusted-mode"));
        Assert.Equal(
            [
                "/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver",
                "/system/distributedPubSubMediator", "/user/node", "/user/bitmaps",
            ],
            config.GetStringList("akka.remote.trusted-selection-paths"));
        Assert.Equal(128_000, config.GetByteSize("akka.remote.dot-netty.tcp.maximum-frame-size"));
    }

    private T Field<T>(string name) => (T)typeof(Serialization)
        .GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(rig.System.Serialization)!;
}
