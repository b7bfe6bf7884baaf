using System.Text;

namespace Userfault.Qemu;

/// <summary>
/// Reads the records of RAM sections. Hops from header to header: contents are not touched. One reader for all sections
/// of a stream, because a record may mean the block of the record before, also across sections.
/// </summary>
internal sealed class RamRecordReader
{
    private const ulong OffsetMask = 4095;
    private const uint PageSize = 4096;

    private readonly Block[] _blocks;
    private readonly IPageOffsets? _offsets;
    private readonly bool _isMappedRam;
    private int _last = -1;

    /// <summary>A reader that has not seen a record.</summary>
    /// <param name="blocks">The stream's blocks.</param>
    /// <param name="offsets">Is told where each page lies; null with mapped-ram, which has no page records.</param>
    /// <param name="isMappedRam">Are pages at fixed offsets?</param>
    public RamRecordReader(IReadOnlyList<RamBlock> blocks, IPageOffsets? offsets, bool isMappedRam)
    {
        _blocks = [.. blocks.Select(static b => new Block(Encoding.UTF8.GetBytes(b.Name), b.FirstPage.Value, b.Bytes))];
        (_offsets, _isMappedRam) = (offsets, isMappedRam);
    }

    /// <summary>Records found so far.</summary>
    public ulong Records { get; private set; }

    /// <summary>Reads up to and including the EOS record.</summary>
    /// <exception cref="StreamException">A record of a kind that is refused, or outside its block.</exception>
    public void Read(ref StreamCursor cursor)
    {
        while (true)
        {
            var word = cursor.UInt64("a RAM record");
            var (offset, flags) = (word & ~OffsetMask, (RamFlags)(word & OffsetMask));
            if (flags == RamFlags.Eos)
                return;
            if (flags == RamFlags.MultifdFlush && _isMappedRam)
                continue;
            Refuse(cursor, flags);
            var kind = flags & ~RamFlags.Continue;
            if (kind is not (RamFlags.Zero or RamFlags.Page) || _offsets is null)
                throw cursor.Corrupt($"RAM record 0x{word:x}");
            if ((flags & RamFlags.Continue) == 0)
                _last = Find(ref cursor);
            else if (_last < 0)
                throw cursor.Corrupt("the first RAM record names no block");
            ref readonly var block = ref _blocks[_last];
            if (offset >= block.Bytes)
                throw cursor.Corrupt($"a page at 0x{offset:x}, outside its block of {block.Bytes} bytes");
            var page = block.FirstPage + (offset / PageSize);
            Records++;
            if (kind == RamFlags.Zero)
            {
                if (cursor.Byte("a zero page") != 0)
                    throw cursor.Corrupt("a page that is filled with a byte other than zero");
                _offsets.SetZero(page);
            }
            else
            {
                var at = cursor.Position;
                cursor.Skip(PageSize, "a page");
                _offsets.SetContent(page, at);
            }
        }
    }

    private int Find(ref StreamCursor cursor)
    {
        var name = cursor.CountedBytes("a block's name");
        if (_last >= 0 && name.SequenceEqual(_blocks[_last].Name))
            return _last;
        for (var i = 0; i < _blocks.Length; i++)
        {
            if (name.SequenceEqual(_blocks[i].Name))
                return i;
        }
        throw cursor.Corrupt($"RAM block {StreamCursor.Text(name)} is not in the list");
    }

    private static void Refuse(StreamCursor cursor, RamFlags flags)
    {
        var (reason, what, mend) = flags switch
        {
            _ when flags.HasFlag(RamFlags.Xbzrle) => (StreamError.Xbzrle, "a page as a delta", "xbzrle off"),
            _ when flags.HasFlag(RamFlags.Compressed) => (StreamError.Compressed, "a deflated page", "compress off"),
            _ when flags.HasFlag(RamFlags.Hook) => (StreamError.Hook, "an RDMA record", "exec: or file:"),
            _ when flags.HasFlag(RamFlags.MultifdFlush) => (
                StreamError.Multifd,
                "pages that went through multifd channels",
                "multifd off, or with mapped-ram on"
            ),
            _ => (default, "", ""),
        };
        if (what.Length > 0)
            throw new StreamException(reason, cursor.Path, what, $"save the guest again with {mend}");
    }

    private readonly record struct Block(byte[] Name, ulong FirstPage, ulong Bytes);
}
