using Userfault.Linux;

namespace Userfault.Qemu;

/// <summary>
/// Where each page of a plain stream lies in the file: one word a page, 0 where the page is zero or was not saved. The
/// offset of a page is never 0, because the header lies there. Either private memory that is committed as it is
/// written, or a mapped index file.
/// </summary>
internal sealed unsafe class PageOffsets : IPageOffsets, IDisposable
{
    private readonly MemoryMapping _memory;
    private readonly ulong* _words;
    private readonly ulong _pages;

    /// <summary>All pages zero.</summary>
    public PageOffsets(ulong pages)
        : this(MemoryMapping.Anonymously(pages * sizeof(ulong)), 0, pages) { }

    /// <summary>Over words that are mapped.</summary>
    /// <param name="memory">The mapping; owned.</param>
    /// <param name="offset">Where the words begin in it.</param>
    /// <param name="pages">How many.</param>
    public PageOffsets(MemoryMapping memory, ulong offset, ulong pages)
    {
        _memory = memory;
        _words = (ulong*)(memory.Start + offset);
        _pages = pages;
    }

    /// <summary>The words.</summary>
    public ulong* Words => _words;

    /// <summary>How many.</summary>
    public ulong Pages => _pages;

    /// <summary>Where the page lies; 0 for a zero page.</summary>
    public ulong this[ulong page] => _words[page];

    /// <inheritdoc/>
    public void SetContent(ulong page, ulong offset) => _words[page] = offset;

    /// <inheritdoc/>
    public void SetZero(ulong page)
    {
        // Reading a page of the index that was never written does not commit it; writing would.
        if (_words[page] != 0)
            _words[page] = 0;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
