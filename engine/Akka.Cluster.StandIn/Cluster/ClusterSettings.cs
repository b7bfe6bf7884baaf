using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster.SBR;
using Akka.Configuration;
using Akka.Remote.Watching;

namespace Akka.Cluster;

/// <summary>What akka.cluster says, read once.</summary>
public sealed class ClusterSettings
{
    private const string Resolver = "Akka.Cluster.SBR.SplitBrainResolverProvider";
    private const string FormerResolver = "Akka.Cluster.SplitBrainResolver";

    public ClusterSettings(Config config, string systemName)
    {
        ArgumentNullException.ThrowIfNull(config);
        var cluster = config.GetConfig("akka.cluster");
        SeedNodes = [.. cluster.GetStringList("seed-nodes").Select(Address.Parse)];
        SeedNodeTimeout = cluster.GetTimeSpan("seed-node-timeout");
        RetryUnsuccessfulJoinAfter = OffOr(cluster, "retry-unsuccessful-join-after");
        Roles = [.. cluster.GetStringList("roles")];
        MinNrOfMembers = cluster.GetInt("min-nr-of-members");
        MinNrOfMembersOfRole = MinOfRole(cluster.GetConfig("role"));
        PeriodicTasksInitialDelay = cluster.GetTimeSpan("periodic-tasks-initial-delay");
        GossipInterval = cluster.GetTimeSpan("gossip-interval");
        LeaderActionsInterval = cluster.GetTimeSpan("leader-actions-interval");
        UnreachableNodesReaperInterval = cluster.GetTimeSpan("unreachable-nodes-reaper-interval");
        GossipDifferentViewProbability = cluster.GetDouble("gossip-different-view-probability");
        AllowWeaklyUpMembers = cluster.GetBoolean("allow-weakly-up-members");
        LogInfo = cluster.GetBoolean("log-info");
        RunCoordinatedShutdownWhenDown = cluster.GetBoolean("run-coordinated-shutdown-when-down");
        UseDispatcher = cluster.GetString("use-dispatcher", "");
        DownRemovalMargin = OffOr(cluster, "down-removal-margin") ?? TimeSpan.Zero;
        FailureDetectorConfig = cluster.GetConfig("failure-detector");
        HeartbeatInterval = FailureDetectorConfig.GetTimeSpan("heartbeat-interval");
        HeartbeatExpectedResponseAfter = FailureDetectorConfig.GetTimeSpan("expected-response-after");
        MonitoredByNrOfMembers = FailureDetectorConfig.GetInt("monitored-by-nr-of-members");
        DowningProviderType = Downing(cluster.GetString("downing-provider-class", ""));
    }

    public ImmutableList<Address> SeedNodes { get; }

    public TimeSpan SeedNodeTimeout { get; }

    public TimeSpan? RetryUnsuccessfulJoinAfter { get; }

    public ImmutableHashSet<string> Roles { get; }

    public int MinNrOfMembers { get; }

    public ImmutableDictionary<string, int> MinNrOfMembersOfRole { get; }

    public TimeSpan PeriodicTasksInitialDelay { get; }

    public TimeSpan GossipInterval { get; }

    public TimeSpan LeaderActionsInterval { get; }

    public TimeSpan UnreachableNodesReaperInterval { get; }

    public double GossipDifferentViewProbability { get; }

    public bool AllowWeaklyUpMembers { get; }

    public bool LogInfo { get; }

    public bool RunCoordinatedShutdownWhenDown { get; }

    public string UseDispatcher { get; }

    public TimeSpan DownRemovalMargin { get; }

    public Config FailureDetectorConfig { get; }

    public TimeSpan HeartbeatInterval { get; }

    public TimeSpan HeartbeatExpectedResponseAfter { get; }

    public int MonitoredByNrOfMembers { get; }

    public Type DowningProviderType { get; }

    internal Membership.MembershipOptions Membership => new(PhiAccrualDetector.Options.From(FailureDetectorConfig))
    {
        MinMembers = MinNrOfMembers,
        MinMembersOfRole = MinNrOfMembersOfRole.ToImmutableSortedDictionary(StringComparer.Ordinal),
        AllowWeaklyUp = AllowWeaklyUpMembers,
        MonitoredBy = MonitoredByNrOfMembers,
        FirstHeartbeatExpectedAfter = HeartbeatExpectedResponseAfter,
        RetryJoinAfter = RetryUnsuccessfulJoinAfter,
        DifferentViewProbability = GossipDifferentViewProbability,
    };

    private static TimeSpan? OffOr(Config config, string path)
        => config.GetString(path) is "off" or "false" ? null : config.GetTimeSpan(path);

    private static ImmutableDictionary<string, int> MinOfRole(Config? roles)
    {
        var least = ImmutableDictionary<string, int>.Empty;
        if (roles is null || roles.IsEmpty)
            return least;
        foreach (var (role, value) in roles.AsEnumerable())
        {
            if (value.IsObject() && value.GetObject().Items.TryGetValue("min-nr-of-members", out var count))
                least = least.SetItem(role, count.GetInt());
        }
        return least;
    }

    // The names of the official assembly are taken too: only the type is of interest.
    private static Type Downing(string name)
    {
        var type = name.Split(',')[0].Trim();
        return type switch
        {
            "" or "Akka.Cluster.NoDowning" => typeof(NoDowning),
            Resolver or FormerResolver => typeof(SplitBrainResolverProvider),
            _ => Type.GetType(name) ?? throw new ConfigurationException($"akka.cluster.downing-provider-class: there is no type {name}"),
        };
    }
}
