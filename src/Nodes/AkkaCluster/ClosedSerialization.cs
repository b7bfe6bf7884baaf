using System.Globalization;
using System.Text;
using Akka.Configuration;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// The closed set of serializers of a node: it defines which messages are sent and accepted between nodes. Each
/// serializer that Akka.NET registers is replaced, either by one that allows listed messages or by one that refuses
/// everything. Messages without an explicit binding are refused as well, so that no message from a peer can choose a
/// type.
/// </summary>
/// <remarks>docs/decisions/0022-closed-wire.md gives the reasons for each.</remarks>
internal static class ClosedSerialization
{
    private const string Serializers = "akka.actor.serializers";

    /// <summary>
    /// All serializers of a node. The names are "userfault" and those of Akka.NET's reference configurations.
    /// </summary>
    internal static IReadOnlyList<WireSerializer> All { get; } =
    [
        new("userfault", 1706, typeof(NodeMessageSerializer)),
        new("akka-cluster", 5, typeof(GossipSerializer)),
        new("akka-containers", 6, typeof(SelectionSerializer)),
        new("akka-pubsub", 9, typeof(TopicSerializer)),
        // Newtonsoft's serializer, which instantiates any type that is named. Akka.NET binds it to all types without
        // another binding.
        new("json", 1, typeof(RefusingSerializer)),
        // Akka.NET resolves its manifest to a type.
        new("null", 0, typeof(RefusingSerializer)),
        new("proto", 2, typeof(RefusingSerializer)),
        new("bytes", 4, typeof(RefusingSerializer)),
        // Remote deployment: a peer names the class and the arguments of an actor to start.
        new("daemon-create", 3, typeof(RefusingSerializer)),
        // PoisonPill, Kill, exceptions by type name, routers, configurations, and the heartbeats of remote death watch.
        new("akka-misc", 16, typeof(RefusingSerializer)),
        new("primitive", 17, typeof(RefusingSerializer)),
        // System messages (Terminate, Suspend, Recreate, Watch): no actor supervises or watches an actor of another
        // node.
        new("akka-system-msg", 22, typeof(RefusingSerializer)),
        new("akka-singleton", 14, typeof(RefusingSerializer)),
        new("akka-cluster-client", 15, typeof(RefusingSerializer)),
        new("reliable-delivery", 36, typeof(RefusingSerializer)),
    ];

    /// <summary>The configuration that binds them; it takes precedence over any other.</summary>
    public static Config Config { get; } = ConfigurationFactory.ParseString(Hocon());

    /// <summary>Puts this set of serializers on top of a configuration.</summary>
    /// <param name="basis">The configuration.</param>
    /// <exception cref="ConfigurationException">The configuration registers serializers of its own.</exception>
    public static Config Over(Config basis)
    {
        ArgumentNullException.ThrowIfNull(basis);
        var more =
            basis
                .GetConfig(Serializers)
                ?.AsEnumerable()
                .Select(s => s.Key)
                .Where(name => !All.Any(s => s.Name == name))
                .Order(StringComparer.Ordinal)
                .ToList()
            ?? [];
        return more.Count == 0
            ? Config.WithFallback(basis)
            : throw new ConfigurationException(
                $"{Serializers}: nodes have a closed set of serializers; remove {string.Join(", ", more)}"
            );
    }

    private static string Hocon()
    {
        var text = new StringBuilder(
            """
            # The serializer named "null" is replaced on purpose.
            akka.log-serializer-override-on-start = off

            """
        );
        foreach (var serializer in All)
        {
            var (name, type) = (serializer.Name, NameOf(serializer.Type));
            text.AppendLine(CultureInfo.InvariantCulture, $"{Serializers}.\"{name}\" = \"{type}\"");
            if (!serializer.IsRefused)
                continue;
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"akka.actor.serialization-settings.\"{name}\".identifier = {serializer.Identifier}"
            );
        }

        text.AppendLine(
            CultureInfo.InvariantCulture,
            $$"""
            akka.actor.serialization-bindings {
              "System.Object" = json
              "{{NameOf(typeof(INodeMessage))}}" = userfault
            }
            """
        );
        return text.ToString();
    }

    private static string NameOf(Type type) => $"{type.FullName}, {type.Assembly.GetName().Name}";
}
