using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// What a server knows of its image's pages: which are zero, and the checksums of the others. An image never changes,
/// so each page is looked at once, for all clients, and from then on only the kernel reads its bytes, when it sends
/// them. Four bytes a page, taken as pages become known. Any thread: two that find the same page unknown write the
/// same.
/// </summary>
internal sealed unsafe class PageSums(IMemoryImage image)
{
    /// <summary>
    /// Pages looked at by one <see cref="LookAhead"/>: some ten microseconds for whoever asks meanwhile.
    /// </summary>
    public const ulong StepPages = 64;

    private const int ChunkShift = 14;
    private const int ChunkPages = 1 << ChunkShift;

    private const uint Unknown = 0;

    private static readonly uint OfZeros = ChecksumOfZeros();

    private readonly uint[]?[] _chunks = new uint[(image.Pages + ChunkPages - 1) >> ChunkShift][];
    private ulong _ahead = FitsInMemory(image) ? 0 : image.Pages;

    /// <summary>Is the page all zero? If not, <paramref name="crc"/> is its checksum.</summary>
    /// <param name="page">Its number.</param>
    /// <param name="content">Its 4096 bytes, as the image gives them; null for a hole.</param>
    /// <param name="crc">CRC32C of the page; meaningless where it is all zero.</param>
    public bool IsZero(ulong page, byte* content, out uint crc)
    {
        crc = OfZeros;
        if (content == null)
        {
            return true;
        }
        var chunk = Volatile.Read(ref _chunks[page >> ChunkShift]) ?? Take(page >> ChunkShift);
        ref var known = ref chunk[page & (ChunkPages - 1)];
        crc = known;
        // The rare page whose checksum is the mark itself is looked at each time.
        if (crc == Unknown)
        {
            known = crc = Crc32C.OfPage(content);
        }
        return crc == OfZeros && ZeroPage.IsZero(content);
    }

    /// <summary>Has <see cref="LookAhead"/> come to the end?</summary>
    public bool IsLookedAt => Volatile.Read(ref _ahead) == image.Pages;

    /// <summary>Looks at the next pages, before anybody asks for them; false once all are known.</summary>
    public bool LookAhead()
    {
        var scratch = stackalloc byte[Page.Size];
        var first = Volatile.Read(ref _ahead);
        var end = Math.Min(first + StepPages, image.Pages);
        for (var page = first; page < end; page++)
        {
            IsZero(page, image.Read(new MemoryPage(page), scratch), out _);
        }
        Volatile.Write(ref _ahead, end);
        return end < image.Pages;
    }

    private uint[] Take(ulong index)
    {
        var chunk = new uint[ChunkPages];
        return Interlocked.CompareExchange(ref _chunks[index], chunk, null) ?? chunk;
    }

    // To read a bigger file beforehand would push out of memory what was read first; one that is made up as it is read
    // would only be made twice.
    private static bool FitsInMemory(IMemoryImage image) =>
        image.Kind != ImageKind.Synthetic
        && image.Pages < (ulong)GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 2 / Page.Size;

    private static uint ChecksumOfZeros()
    {
        var zeros = stackalloc byte[Page.Size];
        new Span<byte>(zeros, Page.Size).Clear();
        return Crc32C.OfPage(zeros);
    }
}
