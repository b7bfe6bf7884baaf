using Akka.Actor;
using Akka.Configuration;

namespace Akka.Cluster.Tools.PublishSubscribe;

/// <summary>What akka.cluster.pub-sub says, read once.</summary>
public sealed class DistributedPubSubSettings
{
    private DistributedPubSubSettings(Config config)
    {
        var role = config.GetString("role", "");
        Role = role.Length == 0 ? null : role;
        GossipInterval = config.GetTimeSpan("gossip-interval");
        MaxDeltaElements = config.GetInt("max-delta-elements");
        SendToDeadLettersWhenNoSubscribers = config.GetBoolean("send-to-dead-letters-when-no-subscribers");
        RoundRobin = config.GetString("routing-logic") switch
        {
            "random" => false,
            "round-robin" => true,
            var other => throw new ConfigurationException($"akka.cluster.pub-sub.routing-logic is '{other}': random and round-robin are known here"),
        };
    }

    /// <summary>Mediators run on members with this role; null for all.</summary>
    public string? Role { get; }

    public TimeSpan GossipInterval { get; }

    public int MaxDeltaElements { get; }

    public bool SendToDeadLettersWhenNoSubscribers { get; }

    internal bool RoundRobin { get; }

    public static DistributedPubSubSettings Create(ActorSystem system)
    {
        ArgumentNullException.ThrowIfNull(system);
        return Create(system.Settings.Config.GetConfig("akka.cluster.pub-sub"));
    }

    public static DistributedPubSubSettings Create(Config config)
    {
        ArgumentNullException.ThrowIfNull(config);
        return new DistributedPubSubSettings(config);
    }
}
