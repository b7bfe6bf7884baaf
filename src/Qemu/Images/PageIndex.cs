using Userfault.Pages;

namespace Userfault.Qemu;

/// <summary>
/// Where each page of a plain stream lies: memory in the shape of <see cref="IndexLayout"/>, made by this process or a
/// mapped file. Of a file header, bitmap and sums were checked when it was opened; a chunk of offsets is checked
/// against its sum when a page of it is looked up for the first time. Safe to use from any number of threads.
/// </summary>
internal sealed unsafe class PageIndex : IDisposable
{
    private readonly IDisposable _memory;
    private readonly byte* _start;
    private readonly IndexLayout _layout;
    private readonly ulong* _offsets;
    private readonly uint* _sums;
    private readonly ulong[]? _checked;

    private PageIndex(IDisposable memory, byte* start, ulong pages, ulong contentPages, EndOfRam end, bool isChecked)
    {
        (_memory, ContentPages, End, _layout) = (memory, contentPages, end, new IndexLayout(pages));
        _start = start;
        _offsets = (ulong*)(start + _layout.Offsets);
        _sums = (uint*)(start + _layout.Sums);
        _checked = isChecked ? null : new ulong[(_layout.Chunks + 63) / 64];
    }

    /// <summary>Of memory that this process has filled.</summary>
    /// <param name="memory">Owns the memory, and is owned.</param>
    /// <param name="start">Its first byte.</param>
    /// <param name="pages">Pages of the stream.</param>
    /// <param name="contentPages">How many of them have content.</param>
    /// <param name="end">Where the pages end.</param>
    public static PageIndex Of(IDisposable memory, byte* start, ulong pages, ulong contentPages, EndOfRam end) =>
        new(memory, start, pages, contentPages, end, isChecked: true);

    /// <summary>Of a mapped file whose header, bitmap and sums were checked.</summary>
    /// <param name="file">Owns the memory, and is owned.</param>
    /// <param name="start">Its first byte.</param>
    /// <param name="pages">Pages of the stream.</param>
    /// <param name="end">Where the pages end.</param>
    public static PageIndex OfFile(IDisposable file, byte* start, ulong pages, EndOfRam end) =>
        new(file, start, pages, PageBits.Count(start + IndexLayout.Bitmap, 0, pages), end, isChecked: false);

    /// <summary>How many pages there are.</summary>
    public ulong Pages => _layout.Pages;

    /// <summary>How many of them have content.</summary>
    public ulong ContentPages { get; }

    /// <summary>Where the pages end in the stream.</summary>
    public EndOfRam End { get; }

    /// <summary>The bitmap of pages with content.</summary>
    public byte* Bits => _start + IndexLayout.Bitmap;

    /// <summary>Its bytes, by <see cref="IndexLayout"/>.</summary>
    public byte* Start => _start;

    /// <summary>Where the content of a page lies that has some; false where the index is damaged.</summary>
    public bool TryFind(ulong page, out ulong offset)
    {
        offset = 0;
        if (_checked is not null && !IsChecked(page / IndexLayout.ChunkPages))
            return false;
        offset = _offsets[page];
        // Whatever the sums say: nothing outside the stream is touched.
        return offset != 0 && offset < End.Position && End.Position - offset > IndexLayout.ChunkBytes;
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    /// <summary>The sum of a chunk as it is.</summary>
    public static uint SumOf(byte* chunk) => Crc32C.OfPage(chunk);

    private bool IsChecked(ulong chunk)
    {
        ref var word = ref _checked![chunk / 64];
        var bit = 1UL << (int)(chunk % 64);
        if ((Volatile.Read(ref word) & bit) != 0)
            return true;
        if (SumOf(_start + _layout.Offsets + (chunk * IndexLayout.ChunkBytes)) != _sums[chunk])
            return false;
        Interlocked.Or(ref word, bit);
        return true;
    }
}
