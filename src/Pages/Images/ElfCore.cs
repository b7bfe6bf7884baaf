using System.Buffers.Binary;

namespace Userfault.Pages;

/// <summary>
/// Reads the headers of an ELF core as QEMU's dump-guest-memory writes it: 64-bit, little endian, ET_CORE, one PT_LOAD
/// a run of guest physical memory, by p_paddr. PT_NOTE (registers) is passed over. Memory that the file does not hold
/// (p_filesz below p_memsz) reads as zero.
/// </summary>
internal static unsafe class ElfCore
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int SectionHeaderSize = 64;
    private const ushort CoreType = 4;
    private const uint LoadType = 1;

    // More program headers than 16 bits hold: the number stands in section header 0's sh_info instead.
    private const ushort PnXnum = 0xffff;

    private const string Mend = "make it with QEMU's dump-guest-memory without -z, -l, -s or -w";

    /// <summary>Does the file begin like any ELF file?</summary>
    public static bool IsElf(byte* bytes, ulong length) =>
        length >= 4 && bytes[0] == 0x7f && bytes[1] == 'E' && bytes[2] == 'L' && bytes[3] == 'F';

    /// <summary>
    /// The segments, sorted and disjoint, and where memory is: the parts that the file does not hold too.
    /// </summary>
    public static ImageSegment[] Parse(
        string path,
        byte* bytes,
        ulong length,
        out IReadOnlyList<MemoryPageRange> ranges
    )
    {
        var header = Header(path, bytes, length);
        var count = ProgramHeaders(path, bytes, length, header);
        var table = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        if (table > length || (ulong)count * ProgramHeaderSize > length - table)
        {
            throw new PagingException(
                PagingError.Truncated,
                path,
                $"truncated: {count} program headers at offset {table} end behind the file's {length} bytes",
                "copy or take the dump again"
            );
        }
        var segments = new List<ImageSegment>();
        var memory = new List<(ulong Start, ulong End)>();
        for (ulong i = 0; i < count; i++)
        {
            var entry = new ReadOnlySpan<byte>(bytes + table + (i * ProgramHeaderSize), ProgramHeaderSize);
            var offset = BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]);
            var start = BinaryPrimitives.ReadUInt64LittleEndian(entry[24..]);
            var fileSize = BinaryPrimitives.ReadUInt64LittleEndian(entry[32..]);
            var memorySize = BinaryPrimitives.ReadUInt64LittleEndian(entry[40..]);
            // No bytes in the file: with paging QEMU lists device mappings like that, with an offset of -1.
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry) != LoadType || fileSize == 0)
                continue;
            if (
                memorySize < fileSize
                || start >= SegmentMap.AddressLimit
                || memorySize > SegmentMap.AddressLimit - start
            )
            {
                throw new PagingException(
                    PagingError.Corrupt,
                    path,
                    $"program header {i} loads {fileSize} of {memorySize} bytes at 0x{start:x}",
                    "take the dump again"
                );
            }
            segments.Add(new ImageSegment(start, fileSize, offset));
            memory.Add((start, start + memorySize));
        }
        ranges = PageRanges.Of(memory);
        return SegmentMap.Normalize(path, segments, length);
    }

    private static ReadOnlySpan<byte> Header(string path, byte* bytes, ulong length)
    {
        if (!IsElf(bytes, length))
            throw new PagingException(PagingError.WrongFormat, path, "not an ELF file", Mend);
        if (length < HeaderSize)
        {
            throw new PagingException(
                PagingError.Truncated,
                path,
                $"truncated: {length} bytes are no whole ELF header",
                "copy or take the dump again"
            );
        }
        var header = new ReadOnlySpan<byte>(bytes, HeaderSize);
        if (header[4] != 2)
            throw new PagingException(PagingError.WrongFormat, path, "not a 64-bit ELF file", "dump a 64-bit guest");
        if (header[5] != 1)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                "not little endian",
                "dump an x86-64 or arm64 guest"
            );
        }

        var type = BinaryPrimitives.ReadUInt16LittleEndian(header[16..]);
        if (type != CoreType)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                $"an ELF file of type {type}, not a core (4)",
                Mend
            );
        }

        return header;
    }

    private static uint ProgramHeaders(string path, byte* bytes, ulong length, ReadOnlySpan<byte> header)
    {
        var entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (count != 0 && entrySize != ProgramHeaderSize)
        {
            throw new PagingException(
                PagingError.Corrupt,
                path,
                $"program headers of {entrySize} bytes instead of {ProgramHeaderSize}",
                Mend
            );
        }
        if (count != PnXnum)
            return count;
        var sections = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        if (sections == 0 || sections > length || length - sections < SectionHeaderSize)
        {
            throw new PagingException(
                PagingError.Truncated,
                path,
                $"truncated: the section header at offset {sections} that counts the program headers is not there",
                "copy or take the dump again"
            );
        }
        return BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(bytes + sections + 44, 4));
    }
}
