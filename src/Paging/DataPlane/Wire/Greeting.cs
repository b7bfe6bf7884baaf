using System.Buffers.Binary;

namespace Userfault.Paging;

/// <summary>
/// The server's first frame, little endian:
/// [0..4) magic | [4..6) lowest version | [6..8) highest version.
/// </summary>
internal sealed record Greeting(ushort MinVersion, ushort MaxVersion)
{
    public const int Size = 8;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, WireLimits.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], MinVersion);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], MaxVersion);
    }

    /// <summary>None, or why the greeting is refused. Other versions may lengthen it: only the first bytes are read.</summary>
    public static RefusalReason TryRead(ReadOnlySpan<byte> payload, out Greeting? greeting)
    {
        greeting = null;
        if (payload.Length < Size || BinaryPrimitives.ReadUInt32LittleEndian(payload) != WireLimits.Magic)
        {
            return RefusalReason.NotThisProtocol;
        }
        greeting = new Greeting(
            BinaryPrimitives.ReadUInt16LittleEndian(payload[4..]), BinaryPrimitives.ReadUInt16LittleEndian(payload[6..]));
        return greeting.MinVersion <= WireLimits.Version && WireLimits.Version <= greeting.MaxVersion
            ? RefusalReason.None
            : RefusalReason.UnsupportedVersion;
    }
}
