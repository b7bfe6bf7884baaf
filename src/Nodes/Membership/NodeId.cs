using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// One incarnation of a node: a process that is restarted at the same address is another incarnation.
/// </summary>
/// <param name="Address">The address at which other nodes reach it.</param>
/// <param name="Incarnation">Distinguishes the processes that have had this address; has no order.</param>
public sealed record NodeId(Address Address, long Incarnation)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address.Host}:{Address.Port}#{Incarnation}";
}
