using System.Net;

namespace Userfault.Nodes;

/// <summary>How a process takes part in a cluster.</summary>
public sealed record NodeSettings
{
    /// <summary>Name of its actor system: only nodes of one name meet.</summary>
    public required string SystemName { get; init; }

    /// <summary>What it is, of <see cref="NodeRoles"/>.</summary>
    public required string Role { get; init; }

    /// <summary>The address on which it listens, and under which others reach it.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port of the membership; 0 is any free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Names of the actors under /user that <see cref="IMembership.Tell"/> reaches from other nodes. Messages to others
    /// are dropped.
    /// </summary>
    public IReadOnlyList<string> Actors { get; init; } = [NodeActor.Name, ClearPublisherActor.Name];

    /// <summary>What becomes of a cluster that falls apart.</summary>
    public SplitBrainRule SplitBrain { get; init; } = SplitBrainRule.KeepDestination;

    /// <summary>How long nothing may change before it is decided which side of a split stays.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Certificates of both ends; null is none, for loopback and closed networks.</summary>
    public NodeTls? Tls { get; init; }
}
