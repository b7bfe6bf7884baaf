using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Binds a data-plane handshake, a VM's state or a working set file to an image. Two halves of 16 bytes.
/// <para>
/// The sample: of a SHA-256 over the number of pages and over the content of every page where the image has at most
/// <see cref="SampledPages"/> of them (16 MiB); else of the first and the last <see cref="EdgePages"/> and, between
/// them, pages evenly spaced up to <see cref="SampledPages"/> in all. Two images that differ between the samples have
/// the same.
/// </para>
/// <para>
/// The rest tells those apart, so that two images that differ in one page never share an identity. Of an image that is
/// sampled whole it is of the same hash. Of a bigger one it is of a hash over every page (<see cref="WholeImage"/>)
/// once that is known; path, time and format do not count then: a copy, or the same memory as another kind of file, has
/// the same identity. Until it is known the identity is provisional: the rest is of this file on this machine in this
/// state, which no other file shares, be it a copy or not.
/// </para>
/// </summary>
public readonly record struct ImageIdentity
{
    /// <summary>Bytes of an identity in files and on the wire.</summary>
    public const int Size = 32;

    /// <summary>How many pages are looked at, at most.</summary>
    public const int SampledPages = 4096;

    private const string BootId = "/proc/sys/kernel/random/boot_id";

    /// <summary>How many of them are at either end of the image.</summary>
    public const int EdgePages = 64;

    // The lowest bit of all: a provisional identity is never taken for another kind.
    private const ulong ProvisionalBit = 1;

    // Files are told apart by their numbers on their machine, until it starts anew.
    private static readonly string Machine = File.Exists(BootId)
        ? File.ReadAllText(BootId).Trim()
        : Environment.MachineName;

    private readonly ulong _a,
        _b,
        _c,
        _d;

    private ImageIdentity(ulong a, ulong b, ulong c, ulong d) => (_a, _b, _c, _d) = (a, b, c, d);

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

    /// <summary>Is it of one file on one machine, since not every page has been looked at yet?</summary>
    public bool IsProvisional => (_d & ProvisionalBit) != 0;

    /// <summary>The sample alone.</summary>
    public ImageIdentity Sample => new(_a, _b, 0, 0);

    /// <summary>Could it be the same image, by all that was sampled?</summary>
    public bool IsSameSample(ImageIdentity other) => (_a, _b) == (other._a, other._b);

    /// <summary>The identity at once: reads up to 16 MiB.</summary>
    /// <param name="image">The image.</param>
    /// <param name="stamp">The file behind it; null where there is none.</param>
    /// <param name="recipe">Where there is no file: all that decides its content besides what is sampled.</param>
    public static ImageIdentity Of(IMemoryImage image, FileStamp? stamp = null, string recipe = "")
    {
        ArgumentNullException.ThrowIfNull(image);
        var sampled = Sampled(image);
        if (image.Pages <= SampledPages)
            return sampled.With(sampled._c, sampled._d, isProvisional: false);
        var rest = stamp is { } file
            ? KeyOf(image, sampled, file, Machine)
            : HashOf($"userfault.recipe {sampled} {recipe}");
        return sampled.With(rest._a, rest._b, isProvisional: stamp is not null);
    }

    /// <summary>Tells a file in one state, read in one way, from every other.</summary>
    internal static ImageIdentity KeyOf(IMemoryImage image, ImageIdentity sample, FileStamp stamp, string machine = "")
    {
        var ranges = string.Join(' ', image.Ranges.Select(static range => $"{range.Start.Value}+{range.Count}"));
        return HashOf($"userfault.file {sample.Sample} {image.Kind} {stamp} {machine} {ranges}");
    }

    /// <summary>The identity that covers every page.</summary>
    /// <param name="sample">An identity with the image's sample.</param>
    /// <param name="whole">A hash over all of it, at least 16 bytes.</param>
    internal static ImageIdentity OfWhole(ImageIdentity sample, ReadOnlySpan<byte> whole) =>
        sample.With(
            BinaryPrimitives.ReadUInt64BigEndian(whole),
            BinaryPrimitives.ReadUInt64BigEndian(whole[8..]),
            isProvisional: false
        );

    /// <summary>The sample of an image as it is now: reads up to 16 MiB.</summary>
    public static ImageIdentity SampleOf(IMemoryImage image) => Sampled(image).Sample;

    private static unsafe ImageIdentity Sampled(IMemoryImage image)
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

    private static ImageIdentity HashOf(string text) => new(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private ImageIdentity With(ulong c, ulong d, bool isProvisional) =>
        new(_a, _b, c, isProvisional ? d | ProvisionalBit : d & ~ProvisionalBit);

    /// <summary>The first 64 bits in hex: enough to tell images apart in a message.</summary>
    public string Short => _a.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>All of it in hex.</summary>
    public override string ToString() => $"{_a:x16}{_b:x16}{_c:x16}{_d:x16}";
}
