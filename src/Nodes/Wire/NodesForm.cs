using System.Runtime.Serialization;
using Akka.Actor;

namespace Userfault.Nodes;

/// <summary>
/// The encoding of <see cref="NodeProtocol.NodesChanged"/>: nodes u16, each: address | roles u8, each a string |
/// state u8 | reachable u8 | has a report u8 | the report.
/// </summary>
internal static class NodesForm
{
    private const int MostNodes = 1024;

    public static void Write(BinaryWriter writer, NodeProtocol.NodesChanged changed)
    {
        var nodes = changed.Nodes.Take(MostNodes).ToList();
        writer.Write((ushort)nodes.Count);
        foreach (var node in nodes)
        {
            writer.Write(node.Address.ToString());
            writer.Write((byte)node.Roles.Count);
            foreach (var role in node.Roles)
                writer.Write(role);
            writer.Write((byte)node.State);
            writer.Write(node.IsReachable);
            writer.Write(node.Report is not null);
            if (node.Report is not null)
                NodeReportForm.Write(writer, node.Report);
        }
    }

    public static NodeProtocol.NodesChanged Read(BinaryReader reader)
    {
        var count = reader.ReadUInt16();
        if (count > MostNodes)
            throw new SerializationException($"a list of {count} nodes");
        var nodes = new List<ClusterNode>();
        for (var i = 0; i < count; i++)
        {
            var address = reader.ReadString();
            if (!ActorPath.TryParseAddress(address, out var parsed))
                throw new SerializationException("a node without an address");
            var roles = new string[reader.ReadByte()];
            for (var r = 0; r < roles.Length; r++)
                roles[r] = reader.ReadString();
            var state = (MemberState)reader.ReadByte();
            if (!Enum.IsDefined(state))
                throw new SerializationException($"a member state {state}");
            nodes.Add(
                new ClusterNode(
                    parsed,
                    roles,
                    state,
                    reader.ReadBoolean(),
                    reader.ReadBoolean() ? NodeReportForm.Read(reader) : null
                )
            );
        }

        return new NodeProtocol.NodesChanged(nodes);
    }
}
