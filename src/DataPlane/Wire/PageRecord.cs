using System.Buffers.Binary;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// The record at the start of the payload of <see cref="FrameType.Data"/>, Zero, Duplicate and End, little endian:
/// [0..8) first page | [8..12) pages | [12..16) request | [16..20) detail | [20..24) checksum.
/// Detail is the slot of a duplicate, the status of an end, and otherwise zero. The checksum is CRC32C of the frame's
/// first 28 bytes (header and record up to here) XOR CRC32C of the content that the record represents (0 if it has
/// none).
/// </summary>
internal readonly record struct PageRecord(ulong FirstPage, uint PageCount, uint RequestId, uint Detail, uint Checksum)
{
    public const int Size = 24;

    /// <summary>Size of frame header and record, which precede the content.</summary>
    public const int FramedSize = FrameHeader.Size + Size;

    private const int ChecksummedBytes = FramedSize - sizeof(uint);

    public static PageRecord Read(ReadOnlySpan<byte> payload) =>
        new(
            BinaryPrimitives.ReadUInt64LittleEndian(payload),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[16..]),
            BinaryPrimitives.ReadUInt32LittleEndian(payload[20..])
        );

    /// <summary>Writes header and record, and the checksum over both and over content with the given CRC32C.</summary>
    public void WriteFramed(Span<byte> to, FrameHeader header, uint contentCrc)
    {
        header.Write(to);
        var record = to[FrameHeader.Size..];
        BinaryPrimitives.WriteUInt64LittleEndian(record, FirstPage);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], PageCount);
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], RequestId);
        BinaryPrimitives.WriteUInt32LittleEndian(record[16..], Detail);
        BinaryPrimitives.WriteUInt32LittleEndian(record[20..], HeaderCrc(to) ^ contentCrc);
    }

    /// <summary>CRC32C of the part of a framed record that its checksum covers.</summary>
    public static uint HeaderCrc(ReadOnlySpan<byte> framed) => Crc32C.Of(framed[..ChecksummedBytes]);
}
