using Akka.Actor;

namespace Userfault.Nodes.Tests.Contract;

/// <summary>The nodes of these tests.</summary>
public static class ContractNodes
{
    /// <summary>The role of a node.</summary>
    public static string RoleOf(string name) => name switch
    {
        "a" => NodeRoles.Source,
        "b" => NodeRoles.Fetcher,
        "c" => NodeRoles.Destination,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, "a, b or c"),
    };

    /// <summary>An address on the host of a node at which no node has ever listened.</summary>
    public static Address NobodyBeside(NodeId node) => node.Address.WithPort(1);
}
