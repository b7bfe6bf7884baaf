using System.Buffers.Binary;

namespace Userfault.DataPlane;

/// <summary>
/// One range in a <see cref="FrameType.Request"/> frame, little endian:
/// [0..8) first page | [8..12) pages | [12..16) request | [16] priority | [17..24) zero.
/// </summary>
internal readonly record struct RequestEntry(ulong FirstPage, uint PageCount, uint RequestId, bool Background)
{
    public const int Size = 24;

    /// <summary>Maximum entries per frame.</summary>
    public const int PerFrame = WireLimits.ClientPayloadBytes / Size;

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(to, FirstPage);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], PageCount);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], RequestId);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], Background ? 1u : 0u);
    }

    /// <summary>False if a reserved bit is set.</summary>
    public static bool TryRead(ReadOnlySpan<byte> from, out RequestEntry entry)
    {
        var tail = BinaryPrimitives.ReadUInt64LittleEndian(from[16..]);
        entry = new RequestEntry(
            BinaryPrimitives.ReadUInt64LittleEndian(from),
            BinaryPrimitives.ReadUInt32LittleEndian(from[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[12..]),
            tail == 1
        );
        return tail <= 1;
    }
}
