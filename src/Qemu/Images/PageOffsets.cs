using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// Where each page of a plain stream lies in the file: private memory in the shape of <see cref="IndexLayout"/>, which
/// is committed as it is written. The offset of a page is never 0, because the header lies there.
/// </summary>
internal sealed unsafe class PageOffsets : IPageOffsets, IDisposable
{
    private readonly MemoryMapping _memory;
    private readonly byte* _bits;
    private readonly ulong* _offsets;

    /// <summary>All pages zero.</summary>
    public PageOffsets(ulong pages)
    {
        var layout = new IndexLayout(pages);
        _memory = MemoryMapping.Anonymously(layout.Bytes);
        _bits = _memory.Start + IndexLayout.Bitmap;
        _offsets = (ulong*)(_memory.Start + layout.Offsets);
        Pages = pages;
    }

    /// <summary>How many.</summary>
    public ulong Pages { get; }

    /// <summary>How many of them have content.</summary>
    public ulong ContentPages { get; private set; }

    /// <summary>The bitmap of pages with content.</summary>
    public byte* Bits => _bits;

    /// <summary>Where the page lies; anything where it has no content.</summary>
    public ulong this[ulong page] => _offsets[page];

    /// <inheritdoc/>
    public void SetContent(ulong page, ulong offset)
    {
        var bit = (byte)(1 << (int)(page % 8));
        if ((_bits[page / 8] & bit) == 0)
        {
            _bits[page / 8] |= bit;
            ContentPages++;
        }
        _offsets[page] = offset;
    }

    /// <inheritdoc/>
    public void SetZero(ulong page)
    {
        // Reading a page of the bitmap that was never written does not commit it; writing would.
        if (!PageBits.IsSet(_bits, page))
            return;
        _bits[page / 8] &= (byte)~(1 << (int)(page % 8));
        _offsets[page] = 0;
        ContentPages--;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
