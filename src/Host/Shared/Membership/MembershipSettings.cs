using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Cli;

/// <summary>What a process is in its cluster, over all its incarnations.</summary>
/// <param name="Role">Its role, of <see cref="NodeRoles"/>.</param>
/// <param name="Port">Its port; 0 is any free one, and then always that one.</param>
/// <param name="SeedOption">The option that named the nodes to join at, for messages.</param>
/// <param name="Seeds">The nodes to join at; none begins a cluster.</param>
internal sealed record MembershipSettings(string Role, int Port, string SeedOption, IReadOnlyList<Address> Seeds)
{
    /// <summary>What there is to say of the node.</summary>
    public required Func<NodeReport> Report { get; init; }

    /// <summary>Told of each incarnation before it joins.</summary>
    public Action<ClusterMember> Opened { get; init; } = static _ => { };

    /// <summary>Told of each incarnation that is a member.</summary>
    public Action<ClusterMember> Joined { get; init; } = static _ => { };
}
