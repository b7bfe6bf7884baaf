using Userfault.Mmu;

namespace Userfault.Qemu;

/// <summary>
/// Where the parts of an index lie, in memory and in its file. Every part begins on a page. Little endian.
/// <code>
/// header    4096 bytes: which file it is of, and what lies behind the pages (IndexFile)
/// bitmap    1 bit per page: has it content?
/// sums      4 bytes per chunk: CRC-32C of the chunk
/// offsets   8 bytes per page, in chunks of 512: where its content lies in the stream
/// </code>
/// A chunk of zero pages is a hole in the file.
/// </summary>
internal readonly record struct IndexLayout(ulong Pages)
{
    /// <summary>Bytes of a chunk.</summary>
    public const int ChunkBytes = Page.Size;

    /// <summary>Pages whose offsets are one chunk: 2 MiB of memory.</summary>
    public const ulong ChunkPages = ChunkBytes / sizeof(ulong);

    /// <summary>Offset of the bitmap.</summary>
    public const ulong Bitmap = Page.Size;

    /// <summary>Offset of the sums.</summary>
    public ulong Sums => Bitmap + Whole(PageBits.BytesOf(Pages));

    /// <summary>Offset of the offsets.</summary>
    public ulong Offsets => Sums + Whole(Chunks * sizeof(uint));

    /// <summary>Bytes of the whole index.</summary>
    public ulong Bytes => Offsets + (Chunks * ChunkBytes);

    /// <summary>How many chunks.</summary>
    public ulong Chunks => (Pages + ChunkPages - 1) / ChunkPages;

    private static ulong Whole(ulong bytes) => (bytes + Page.OffsetMask) & ~Page.OffsetMask;
}
