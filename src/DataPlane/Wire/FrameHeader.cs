using System.Buffers.Binary;

namespace Userfault.DataPlane;

/// <summary>
/// The eight bytes before every frame, little endian:
/// [0..4) payload bytes | [4] type | [5] flags | [6..8) zero.
/// </summary>
internal readonly record struct FrameHeader(int PayloadBytes, FrameType Type, byte Flags)
{
    public const int Size = 8;

    /// <summary>Flag of a page record or a list of sources: nothing further follows for this request.</summary>
    public const byte Last = 1;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, PayloadBytes);
        to[4] = (byte)Type;
        to[5] = Flags;
        to[6] = 0;
        to[7] = 0;
    }

    /// <summary>
    /// False if the length exceeds <paramref name="maxPayloadBytes"/> or an unused byte or flag is set.
    /// </summary>
    public static bool TryRead(ReadOnlySpan<byte> from, int maxPayloadBytes, out FrameHeader header)
    {
        var length = BinaryPrimitives.ReadUInt32LittleEndian(from);
        header = new FrameHeader((int)length, (FrameType)from[4], from[5]);
        return length <= (uint)maxPayloadBytes && (from[5] & ~Last) == 0 && from[6] == 0 && from[7] == 0;
    }
}
