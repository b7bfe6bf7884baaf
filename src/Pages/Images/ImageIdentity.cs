using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Binds a working set file or a data-plane handshake to an image. A SHA-256 over the number of pages and over the
/// content of: every page where the image has at most <see cref="SampledPages"/> of them (16 MiB); else the first and
/// the last <see cref="EdgePages"/> and, between them, pages evenly spaced up to <see cref="SampledPages"/> in all. Two
/// snapshots of one guest differ in so many pages that the samples see it; a single changed byte between the samples of
/// a big image goes unseen. Path, time and file format do not count: a copy, or the same memory as another kind of
/// file, has the same identity.
/// </summary>
public readonly record struct ImageIdentity
{
    /// <summary>Bytes of an identity in files and on the wire.</summary>
    public const int Size = 32;

    /// <summary>How many pages are looked at, at most.</summary>
    public const int SampledPages = 4096;

    /// <summary>How many of them are at either end of the image.</summary>
    public const int EdgePages = 64;

    private readonly ulong _a,
        _b,
        _c,
        _d;

    /// <summary>An identity out of its <see cref="Size"/> bytes.</summary>
    /// <exception cref="ArgumentException">Too few bytes.</exception>
    public ImageIdentity(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < Size)
            throw new ArgumentException("an identity has 32 bytes", nameof(bytes));
        _a = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        _b = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        _c = BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]);
        _d = BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]);
    }

    /// <summary>Computes the identity of an image: reads up to 16 MiB of it.</summary>
    public static unsafe ImageIdentity Of(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> head = stackalloc byte[24];
        "userfault.image1"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head[16..], image.Pages);
        hash.AppendData(head);
        var scratch = (byte*)NativeMemory.AlignedAlloc(2 * Page.Size, Page.Size);
        try
        {
            var zeros = new Span<byte>(scratch + Page.Size, Page.Size);
            zeros.Clear();
            var samples = Math.Min(image.Pages, SampledPages);
            for (ulong i = 0; i < samples; i++)
            {
                var page = image.Read(new MemoryPage(SampleAt(i, image.Pages)), scratch);
                hash.AppendData(page == null ? zeros : new ReadOnlySpan<byte>(page, Page.Size));
            }
            Span<byte> bytes = stackalloc byte[Size];
            hash.GetHashAndReset(bytes);
            return new ImageIdentity(bytes);
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }

    /// <summary>Which page sample <paramref name="index"/> looks at.</summary>
    /// <param name="index">The sample, below <see cref="SampledPages"/> and below <paramref name="pages"/>.</param>
    /// <param name="pages">Pages of the image.</param>
    public static ulong SampleAt(ulong index, ulong pages)
    {
        if (pages <= SampledPages || index < EdgePages)
            return index;
        if (index >= SampledPages - EdgePages)
            return pages - SampledPages + index;
        const ulong inner = SampledPages - (2 * EdgePages);
        return EdgePages + (ulong)((UInt128)(index - EdgePages) * (pages - (2 * EdgePages)) / inner);
    }

    /// <summary>Writes the <see cref="Size"/> bytes.</summary>
    public void WriteTo(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _a);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[16..], _c);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[24..], _d);
    }

    /// <summary>The first 64 bits in hex: enough to tell images apart in a message.</summary>
    public string Short => _a.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>All of it in hex.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x16}{_d:x16}";
}
