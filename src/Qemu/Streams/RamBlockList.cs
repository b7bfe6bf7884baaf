using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>The list of RAM blocks in the first section of RAM, and with mapped-ram their pages' places.</summary>
internal static class RamBlockList
{
    /// <summary>Bytes of memory that a stream may name: 16 TiB.</summary>
    public const ulong MaxBytes = 1UL << 44;

    private const int MaxBlocks = 4096;
    private const uint MappedRamVersion = 1;
    private const ulong PageSize = 4096;
    private const ulong OffsetMask = PageSize - 1;

    /// <summary>Reads the record and the list.</summary>
    /// <param name="cursor">At the record.</param>
    /// <param name="isMappedRam">Do bitmap and pages follow each entry?</param>
    /// <exception cref="StreamException">It contradicts itself.</exception>
    public static IReadOnlyList<RamBlock> Read(ref StreamCursor cursor, bool isMappedRam)
    {
        var record = cursor.UInt64("the list of RAM blocks");
        var sum = record & ~OffsetMask;
        if ((RamFlags)(record & OffsetMask) != RamFlags.MemSize || sum == 0)
            throw cursor.Corrupt("RAM does not begin with the list of its blocks");
        if (sum > MaxBytes)
            throw TooLarge(cursor, $"RAM of {sum} bytes; at most {MaxBytes} are read");
        var blocks = new List<RamBlock>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (ulong done = 0; done < sum; )
        {
            var block = Entry(ref cursor, new MemoryPage(done / PageSize), isMappedRam);
            if (block.Bytes > sum - done)
                throw cursor.Corrupt($"RAM block {block.Name} of {block.Bytes} bytes is more than is left of {sum}");
            if (!names.Add(block.Name))
                throw cursor.Corrupt($"RAM block {block.Name} is listed twice");
            if (blocks.Count == MaxBlocks)
                throw TooLarge(cursor, $"more than {MaxBlocks} RAM blocks");
            blocks.Add(block);
            done += block.Bytes;
        }
        return blocks;
    }

    private static RamBlock Entry(ref StreamCursor cursor, MemoryPage first, bool isMappedRam)
    {
        var name = cursor.CountedName("a RAM block's name");
        var bytes = cursor.UInt64("a RAM block's size");
        if (bytes == 0 || (bytes & OffsetMask) != 0)
            throw cursor.Corrupt($"RAM block '{name}' of {bytes} bytes");
        return isMappedRam
            ? Mapped(ref cursor, new RamBlock(name, bytes, first, 0, 0))
            : new RamBlock(name, bytes, first, 0, 0);
    }

    private static RamBlock Mapped(ref StreamCursor cursor, RamBlock block)
    {
        var what = $"RAM block {block.Name}";
        var version = cursor.UInt32(what);
        var pageSize = cursor.UInt64(what);
        var bitmap = cursor.UInt64(what);
        var pages = cursor.UInt64(what);
        if (version != MappedRamVersion || pageSize != PageSize)
            throw cursor.Corrupt($"{what}: mapped-ram of version {version} with pages of {pageSize} bytes");
        if (bitmap > cursor.Length || pages > cursor.Length)
        {
            throw new StreamException(
                StreamError.CutOff,
                cursor.Path,
                $"{what} has its pages at byte {pages}, and the file has {cursor.Length}",
                "copy the whole file, or save the guest again and wait for its end"
            );
        }
        // From the start of the file, wherever in it the stream begins: QEMU notes where its descriptor is.
        cursor.MoveTo(bitmap, $"{what}: its bitmap");
        cursor.Skip((block.Pages + 7) / 8, $"{what}: its bitmap");
        cursor.MoveTo(pages, $"{what}: its pages");
        cursor.Skip(block.Bytes, $"{what}: its pages");
        return block with { BitmapOffset = bitmap, PagesOffset = pages };
    }

    private static StreamException TooLarge(StreamCursor cursor, string what) =>
        new(StreamError.TooLarge, cursor.Path, what, "save a smaller guest");
}
