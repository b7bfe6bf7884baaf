using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>One incarnation of a node: a process that is started again under an address is another one.</summary>
/// <param name="Address">Where other nodes reach it.</param>
/// <param name="Incarnation">Tells apart the processes that have had this address; has no order.</param>
public sealed record NodeId(Address Address, long Incarnation)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Address.Host}:{Address.Port}#{Incarnation}";
}
