using System.Reflection;
using Akka.Configuration;
using Akka.Serialization;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>
/// The set of serializers is closed: what a node ends up with is what is written down here, number by number. A version of Akka.NET that
/// brings one more fails.
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

        // One without a string manifest would have the peer's manifest looked up as a type.
        Assert.All(byId.Values, s => Assert.IsAssignableFrom<SerializerWithStringManifest>(s));
    }

    [Fact]
    public void Each_name_of_the_configuration_and_each_binding_leads_to_one_of_them()
    {
        var byId = Field<Dictionary<int, Serializer>>("_serializersById");
        var byName = Field<Dictionary<string, Serializer>>("_serializersByName");
        Assert.Equal(ClosedSerialization.All.Select(s => s.Name).Order(), byName.Keys.Order());
        Assert.All(byName.Values, s => Assert.Same(byId[s.Identifier], s));

        var bindings = Field<System.Collections.Concurrent.ConcurrentDictionary<Type, Serializer>>("_serializerMap");
        Assert.All(bindings.Values, s => Assert.Same(byId[s.Identifier], s));
        Assert.IsType<RefusingSerializer>(rig.System.Serialization.FindSerializerForType(typeof(object)));
        Assert.IsType<RefusingSerializer>(rig.System.Serialization.FindSerializerForType(typeof(ClosedSerializationTests)));
        Assert.IsType<NodeMessageSerializer>(rig.System.Serialization.FindSerializerForType(typeof(NodeReport)));
    }

    [Fact]
    public void No_configuration_forgets_it_or_adds_to_it()
    {
        var json = ConfigurationFactory.ParseString("""
            akka.actor {
              serializers.json = "Akka.Serialization.NewtonSoftJsonSerializer, Akka"
              serialization-bindings { "System.Object" = bytes, "System.String" = json }
              serialization-settings.json.identifier = 99
            }
            """);
        var closed = ClosedSerialization.Over(json);
        Assert.StartsWith(typeof(RefusingSerializer).FullName!, closed.GetString("akka.actor.serializers.json"), StringComparison.Ordinal);
        Assert.Equal(1, closed.GetInt("akka.actor.serialization-settings.json.identifier"));
        Assert.Equal("json", closed.GetConfig("akka.actor.serialization-bindings").AsEnumerable().Single(b => b.Key == "System.Object").Value.GetString());

        var more = ConfigurationFactory.ParseString("""akka.actor.serializers { hyperion = "X, Y", another = "Z, Y" }""");
        var refusal = Assert.Throws<ConfigurationException>(() => ClosedSerialization.Over(more));
        Assert.Contains("another, hyperion", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nor_does_one_open_other_paths_or_larger_frames()
    {
        var config = rig.System.Settings.Config;
        Assert.True(config.GetBoolean("akka.remote.untrusted-mode"));
        Assert.Equal(
            ["/system/cluster/core/daemon", "/system/cluster/heartbeatReceiver", "/system/distributedPubSubMediator", "/user/node", "/user/bitmaps"],
            config.GetStringList("akka.remote.trusted-selection-paths"));
        Assert.Equal(128_000, config.GetByteSize("akka.remote.dot-netty.tcp.maximum-frame-size"));
    }

    private T Field<T>(string name) => (T)typeof(Serialization)
        .GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(rig.System.Serialization)!;
}
