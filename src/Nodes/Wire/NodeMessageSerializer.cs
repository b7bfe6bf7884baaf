using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;
using Userfault.Actors;

namespace Userfault.Nodes;

/// <summary>
/// The wire form of <see cref="INodeMessage"/>. A manifest is a word with a version, from a closed list, never a type's
/// name; a changed form gets a new version. Numbers are little endian, strings UTF-8 after their length.
/// </summary>
public sealed class NodeMessageSerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private const string ReportManifest = "report/2";
    private const string GetNodesManifest = "get-nodes/1";
    private const string NodesManifest = "nodes/1";
    private const string ClearedManifest = "bits-cleared/1";
    private const string GetRangeManifest = "get-bitmap-range/1";
    private const string RangeManifest = "bitmap-range/1";

    /// <inheritdoc/>
    public override int Identifier => 1706;

    /// <inheritdoc/>
    public override string Manifest(object o) =>
        o switch
        {
            NodeReport => ReportManifest,
            NodeProtocol.GetNodes => GetNodesManifest,
            NodeProtocol.NodesChanged => NodesManifest,
            BitsCleared => ClearedManifest,
            GetBitmapRange => GetRangeManifest,
            BitmapRange => RangeManifest,
            _ => throw new ArgumentException($"{o?.GetType()} does not cross nodes", nameof(o)),
        };

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BinaryWriter(bytes))
        {
            switch (obj)
            {
                case NodeReport report:
                    NodeReportForm.Write(writer, report);
                    break;
                case NodeProtocol.GetNodes:
                    break;
                case NodeProtocol.NodesChanged nodes:
                    NodesForm.Write(writer, nodes);
                    break;
                case BitsCleared cleared:
                    BitmapForms.Write(writer, cleared);
                    break;
                case GetBitmapRange get:
                    BitmapForms.Write(writer, get);
                    break;
                case BitmapRange range:
                    BitmapForms.Write(writer, range);
                    break;
                default:
                    throw new ArgumentException($"{obj?.GetType()} does not cross nodes", nameof(obj));
            }
        }

        return bytes.ToArray();
    }

    /// <inheritdoc/>
    /// <exception cref="SerializationException">The bytes are not a valid message.</exception>
    public override object FromBinary(byte[] bytes, string manifest)
    {
        using var reader = new BinaryReader(new MemoryStream(bytes));
        try
        {
            object message = manifest switch
            {
                ReportManifest => NodeReportForm.Read(reader),
                GetNodesManifest => NodeProtocol.GetNodes.Instance,
                NodesManifest => NodesForm.Read(reader),
                ClearedManifest => BitmapForms.ReadCleared(reader),
                GetRangeManifest => BitmapForms.ReadGetRange(reader),
                RangeManifest => BitmapForms.ReadRange(reader),
                _ => throw new SerializationException($"a message of an unknown kind: {PeerText.Shown(manifest)}"),
            };
            return reader.BaseStream.Position == bytes.Length
                ? message
                : throw new SerializationException($"{manifest} with bytes behind its end");
        }
        catch (Exception e) when (e is IOException or FormatException or ArgumentException)
        {
            throw new SerializationException($"{manifest} that cannot be read: {e.Message}", e);
        }
    }
}
