using System.Buffers.Binary;

namespace Userfault.Paging;

/// <summary>
/// The client's answer to the greeting, little endian:
/// [0..4) magic | [4..6) version | [6..8) zero | [8..40) image, zeros for none | [40..44) widest duplicate window.
/// </summary>
internal sealed record Hello(ushort Version, ImageIdentity Image, uint DuplicateWindow)
{
    public const int Size = 44;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, WireLimits.Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], Version);
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], 0);
        Image.WriteTo(to[8..]);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], DuplicateWindow);
    }

    /// <summary>None, or why the hello is refused.</summary>
    public static RefusalReason TryRead(ReadOnlySpan<byte> payload, out Hello? hello)
    {
        hello = null;
        if (payload.Length < 6 || BinaryPrimitives.ReadUInt32LittleEndian(payload) != WireLimits.Magic)
        {
            return RefusalReason.NotThisProtocol;
        }
        ushort version = BinaryPrimitives.ReadUInt16LittleEndian(payload[4..]);
        if (version != WireLimits.Version)
        {
            return RefusalReason.UnsupportedVersion;
        }
        if (payload.Length != Size || BinaryPrimitives.ReadUInt16LittleEndian(payload[6..]) != 0)
        {
            return RefusalReason.BadFrame;
        }
        hello = new Hello(
            version, new ImageIdentity(payload[8..]), BinaryPrimitives.ReadUInt32LittleEndian(payload[40..]));
        return RefusalReason.None;
    }
}
