using System.Buffers.Binary;
using System.Security.Cryptography;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// What a source says of an image beside its pages: where the guest has memory, and a digest of each page there. It
/// travels as the pages of a second image with an identity of its own, so that whatever carries pages carries it.
/// Little endian: [0..8) "UFMANIF1" | [8..16) pages of the image | [16..20) ranges | [20..32) zero | [32..64) the
/// image's identity | ranges of 16 bytes (first page, pages) | zeros to the end of the page; then the digests of the
/// ranges' pages in order,
/// <see cref="PageDigest.PerPage"/> a page.
/// </summary>
public sealed class ImageManifest
{
    /// <summary>Ranges of memory in an image that can be described.</summary>
    public const int MostRanges = 4096;

    private const int HeadBytes = 64;
    private const int IdentityAt = 32;
    private const int RangeBytes = 16;
    private const ulong Magic = 0x3146_494E_414D_4655;

    /// <summary>A manifest of an image.</summary>
    /// <param name="image">The image.</param>
    /// <param name="identity">Which of its identities it is asked for by; null: the one that it has at once.</param>
    /// <exception cref="PagingException">More ranges than can be described.</exception>
    public ImageManifest(IMemoryImage image, ImageIdentity? identity = null)
        : this(
            identity ?? (image ?? throw new ArgumentNullException(nameof(image))).Identity,
            image.Pages,
            image.Ranges
        )
    {
        if (Ranges.Count > MostRanges)
        {
            throw new PagingException(
                PagingError.BadSize,
                image.Name,
                $"{Ranges.Count} ranges of memory",
                $"take an image of at most {MostRanges}"
            );
        }
    }

    /// <summary>The manifest of an image whose shape is known otherwise.</summary>
    internal ImageManifest(ImageIdentity image, ulong pages, IReadOnlyList<MemoryPageRange> ranges)
    {
        (Image, ImagePages, Ranges) = (image, pages, ranges);
        Described = ranges.Aggregate(0UL, static (sum, range) => sum + range.Count);
        HeaderPages = HeaderPagesOf(ranges.Count);
    }

    /// <summary>The image that is described.</summary>
    public ImageIdentity Image { get; }

    /// <summary>Its pages, holes included.</summary>
    public ulong ImagePages { get; }

    /// <summary>Where it has memory.</summary>
    public IReadOnlyList<MemoryPageRange> Ranges { get; }

    /// <summary>Pages of memory, each with a digest.</summary>
    public ulong Described { get; }

    /// <summary>Pages in front of the digests.</summary>
    public ulong HeaderPages { get; }

    /// <summary>Pages of the manifest itself.</summary>
    public ulong Pages => HeaderPages + ((Described + PageDigest.PerPage - 1) / PageDigest.PerPage);

    /// <summary>
    /// The identity under which an image's manifest is asked for: a SHA-256 over a label and the image's.
    /// </summary>
    public static ImageIdentity IdentityOf(ImageIdentity image)
    {
        Span<byte> bytes = stackalloc byte[16 + ImageIdentity.Size];
        "userfault.digest"u8.CopyTo(bytes);
        image.WriteTo(bytes[16..]);
        return new ImageIdentity(SHA256.HashData(bytes));
    }

    /// <summary>How many pages the header takes, from its first page; 0 where that is none.</summary>
    public static ulong HeaderPagesIn(ReadOnlySpan<byte> firstPage)
    {
        var ranges = BinaryPrimitives.ReadUInt32LittleEndian(firstPage[16..]);
        return BinaryPrimitives.ReadUInt64LittleEndian(firstPage) == Magic && ranges is > 0 and <= MostRanges
            ? HeaderPagesOf((int)ranges)
            : 0;
    }

    /// <summary>Writes the header: <see cref="HeaderPages"/> pages.</summary>
    public void WriteHeader(Span<byte> to)
    {
        to.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], ImagePages);
        BinaryPrimitives.WriteInt32LittleEndian(to[16..], Ranges.Count);
        Image.WriteTo(to[IdentityAt..]);
        for (var i = 0; i < Ranges.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(to[(HeadBytes + (i * RangeBytes))..], Ranges[i].Start.Value);
            BinaryPrimitives.WriteUInt64LittleEndian(to[(HeadBytes + (i * RangeBytes) + 8)..], Ranges[i].Count);
        }
    }

    /// <summary>A manifest out of its header; null where that makes no sense or is of another image.</summary>
    public static ImageManifest? Read(ReadOnlySpan<byte> header, ImageIdentity image)
    {
        if (
            header.Length < Page.Size
            || HeaderPagesIn(header) is var pages && (pages == 0 || (ulong)header.Length < pages << Page.Shift)
        )
        {
            return null;
        }

        var ranges = new MemoryPageRange[BinaryPrimitives.ReadInt32LittleEndian(header[16..])];
        var imagePages = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        if (imagePages > SyntheticImage.MostPages || !image.IsSameSample(new ImageIdentity(header[IdentityAt..])))
            return null;
        ulong end = 0;
        for (var i = 0; i < ranges.Length; i++)
        {
            var start = BinaryPrimitives.ReadUInt64LittleEndian(header[(HeadBytes + (i * RangeBytes))..]);
            var count = BinaryPrimitives.ReadUInt64LittleEndian(header[(HeadBytes + (i * RangeBytes) + 8)..]);
            // Ascending, apart from each other, none empty, all inside.
            if ((i > 0 && start <= end) || count == 0 || start > imagePages || count > imagePages - start)
                return null;
            ranges[i] = new MemoryPageRange(new MemoryPage(start), count);
            end = start + count;
        }

        return end == imagePages ? new ImageManifest(image, imagePages, ranges) : null;
    }

    /// <summary>
    /// The place of a page's digest among all digests; null for a page where the guest has no memory.
    /// </summary>
    public ulong? OrdinalOf(MemoryPage page)
    {
        ulong before = 0;
        foreach (var range in Ranges)
        {
            if (range.Contains(page))
                return before + (page.Value - range.Start.Value);
            before += range.Count;
        }

        return null;
    }

    /// <summary>The page whose digest is at a place, below <see cref="Described"/>.</summary>
    public MemoryPage GfnAt(ulong ordinal)
    {
        foreach (var range in Ranges)
        {
            if (ordinal < range.Count)
                return range.Start.Plus(ordinal);
            ordinal -= range.Count;
        }

        throw new ArgumentOutOfRangeException(nameof(ordinal));
    }

    private static ulong HeaderPagesOf(int ranges) =>
        (ulong)(HeadBytes + (ranges * RangeBytes) + Page.Size - 1) >> Page.Shift;
}
