using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// Collects where each page of a plain stream lies in the file: private memory in the shape of
/// <see cref="IndexLayout"/>, which is committed as it is written.
/// </summary>
internal sealed unsafe class PageOffsets : IPageOffsets, IDisposable
{
    private readonly byte* _bits;
    private readonly ulong* _offsets;
    private MemoryMapping? _memory;

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

    /// <inheritdoc/>
    public void SetContent(ulong page, ulong offset)
    {
        if (!PageBits.IsSet(_bits, page))
        {
            _bits[page / 8] |= (byte)(1 << (int)(page % 8));
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

    /// <summary>The index, which owns the memory from now on.</summary>
    /// <param name="end">Where the pages end.</param>
    public PageIndex ToIndex(EndOfRam end)
    {
        ObjectDisposedException.ThrowIf(_memory is null, this);
        var index = PageIndex.Of(_memory, _memory.Start, Pages, ContentPages, end);
        _memory = null;
        return index;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory?.Dispose();
}
