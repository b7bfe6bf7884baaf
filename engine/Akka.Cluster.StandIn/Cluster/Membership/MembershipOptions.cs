using System.Collections.Immutable;
using Akka.Remote.Watching;

namespace Akka.Cluster.Membership;

/// <summary>What the rules of membership are configured by.</summary>
internal sealed record MembershipOptions(PhiAccrualDetector.Options Detector)
{
    public int MinMembers { get; init; } = 1;

    public ImmutableSortedDictionary<string, int> MinMembersOfRole { get; init; } = ImmutableSortedDictionary<string, int>.Empty;

    public bool AllowWeaklyUp { get; init; }

    public int MonitoredBy { get; init; } = 5;

    public TimeSpan FirstHeartbeatExpectedAfter { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan? RetryJoinAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How likely gossip goes to a member that has not seen this view, rather than to any.</summary>
    public double DifferentViewProbability { get; init; } = 0.8;
}
