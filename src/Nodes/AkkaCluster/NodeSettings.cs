using System.Net;

namespace Userfault.Nodes;

/// <summary>The settings with which a process takes part in a cluster.</summary>
public sealed record NodeSettings
{
    /// <summary>Name of its actor system: only nodes with the same name form a cluster.</summary>
    public required string SystemName { get; init; }

    /// <summary>Its role, one of <see cref="NodeRoles"/>.</summary>
    public required string Role { get; init; }

    /// <summary>The address on which it listens, and under which others reach it.</summary>
    public IPAddress Host { get; init; } = IPAddress.Loopback;

    /// <summary>TCP port of the membership; 0 for any free one.</summary>
    public int Port { get; init; }

    /// <summary>
    /// Names of the actors under /user that <see cref="IMembership.Tell"/> reaches from other nodes. Messages to other
    /// actors are dropped.
    /// </summary>
    public IReadOnlyList<string> Actors { get; init; } = [NodeActor.Name, ClearPublisherActor.Name];

    /// <summary>The rule for a cluster that splits.</summary>
    public SplitBrainRule SplitBrain { get; init; } = SplitBrainRule.KeepDestination;

    /// <summary>How long the membership must be unchanged before the rule is applied to a split.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Certificates for both ends; null for none, on loopback and closed networks.</summary>
    public NodeTls? Tls { get; init; }
}
