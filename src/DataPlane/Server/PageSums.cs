using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// A server's knowledge of its image's pages: which are zero, and the checksums of the others. An image never changes,
/// so each page is read once, for all clients, and from then on only the kernel reads its bytes, when it sends them.
/// Four bytes per page, allocated as pages become known. Thread-safe: two threads that find the same page unknown write
/// the same value.
/// </summary>
internal sealed unsafe class PageSums(IMemoryImage image)
{
    /// <summary>
    /// Pages per <see cref="LookAhead"/>: delays a request that arrives meanwhile by some ten microseconds.
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
    /// <param name="content">Its 4096 bytes, as the image supplies them; null for a hole.</param>
    /// <param name="crc">CRC32C of the page; meaningless if it is all zero.</param>
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
        // The rare page whose checksum equals the mark is computed each time.
        if (crc == Unknown)
        {
            known = crc = Crc32C.OfPage(content);
        }
        return crc == OfZeros && ZeroPage.IsZero(content);
    }

    /// <summary>Has <see cref="LookAhead"/> reached the end?</summary>
    public bool IsLookedAt => Volatile.Read(ref _ahead) == image.Pages;

    /// <summary>Reads the next pages ahead of requests; false once all are known.</summary>
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

    // Reading a larger file ahead would evict the pages read first; a synthetic image would only be generated twice.
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
