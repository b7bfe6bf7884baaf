namespace Userfault.Pages;

/// <summary>
/// One page in a <see cref="PageBatch"/>. <see cref="Bytes"/> is good until the batch is released; it is null for a
/// zero page, and where content travels as tags alone (simulation).
/// </summary>
public readonly unsafe struct PageContent
{
    private PageContent(MemoryPage page, PageContentKind kind, byte* bytes, ulong tag, uint checksum)
    {
        ChecksumOrZero = checksum;
        Page = page;
        Kind = kind;
        Bytes = bytes;
        TagOrZero = tag;
    }

    /// <summary>Which page.</summary>
    public MemoryPage Page { get; }

    /// <summary>In which form it travelled.</summary>
    public PageContentKind Kind { get; }

    /// <summary>The <see cref="Crc32C"/> of its bytes where the source had it at hand, else 0.</summary>
    public uint ChecksumOrZero { get; }

    /// <summary>Its 4096 bytes, never to be written; null as said above.</summary>
    public byte* Bytes { get; }

    /// <summary>The content tag where the source had it at hand, else 0.</summary>
    public ulong TagOrZero { get; }

    /// <summary>The <see cref="PageTag"/> of the content, computed where the source has not done so.</summary>
    public ulong Tag => Kind == PageContentKind.Zero || TagOrZero != 0 ? TagOrZero : PageTag.Of(Bytes);

    /// <summary>It is copied next: its bytes are asked for, so that they are at hand by then.</summary>
    public void Expect()
    {
        if (Bytes != null)
            PageBytes.Expect(Bytes);
    }

    /// <summary>A page of zeros.</summary>
    public static PageContent Zero(MemoryPage page) => new(page, PageContentKind.Zero, null, 0, 0);

    /// <summary>
    /// A page by reference; <paramref name="tag"/> and <paramref name="checksum"/> 0 where they are not known.
    /// </summary>
    public static PageContent Of(MemoryPage page, byte* bytes, ulong tag = 0, uint checksum = 0) =>
        new(page, PageContentKind.Bytes, bytes, tag, checksum);

    /// <summary>A page whose content was sent before; the bytes are those.</summary>
    public static PageContent Duplicate(MemoryPage page, byte* bytes, ulong tag = 0, uint checksum = 0) =>
        new(page, PageContentKind.Duplicate, bytes, tag, checksum);

    /// <summary>The same content for another page.</summary>
    public PageContent At(MemoryPage page) => new(page, Kind, Bytes, TagOrZero, ChecksumOrZero);
}
