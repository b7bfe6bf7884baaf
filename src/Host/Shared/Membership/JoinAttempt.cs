using Akka.Actor;

namespace Userfault.Cli;

/// <summary>How a node asks to be let into a cluster.</summary>
/// <param name="Option">The option that named the nodes, for messages.</param>
/// <param name="Nodes">Nodes to join at; none begins a cluster of its own.</param>
/// <param name="Patience">Longest wait to be let in.</param>
internal sealed record JoinAttempt(string Option, IReadOnlyList<Address> Nodes, TimeSpan Patience)
{
    /// <summary>Is it logged once that the nodes do not answer, long before the attempt is given up?</summary>
    public bool LogsSilence { get; init; }
}
