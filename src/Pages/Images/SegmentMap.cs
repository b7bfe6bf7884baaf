using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Turns segments as files give them into the sorted, disjoint list that <see cref="FileImage"/> searches.
/// </summary>
internal static class SegmentMap
{
    /// <summary>Guest physical addresses end at 2^52, the widest that x86 and arm64 have.</summary>
    public const ulong AddressLimit = 1UL << 52;

    /// <summary>
    /// Sorts and joins. Segments may overlap where they say the same (QEMU's dump with paging names a physical range
    /// once for every virtual range that maps it), and are refused where they contradict each other.
    /// </summary>
    public static ImageSegment[] Normalize(string path, IReadOnlyList<ImageSegment> segments, ulong fileLength)
    {
        var sorted = segments.Where(static s => s.Length != 0).OrderBy(static s => s.Start).ToArray();
        if (sorted.Length == 0)
        {
            throw new PagingException(
                PagingError.WrongFormat,
                path,
                "holds no guest memory",
                "give an image with at least one segment"
            );
        }
        var count = 0;
        foreach (var segment in sorted)
        {
            RequireInside(path, segment, fileLength);
            if (count == 0 || segment.Start > sorted[count - 1].End)
            {
                sorted[count++] = segment;
                continue;
            }
            ref var last = ref sorted[count - 1];
            var continues = segment.FileOffset - last.FileOffset == segment.Start - last.Start;
            if (continues)
            {
                last = last with { Length = Math.Max(last.End, segment.End) - last.Start };
            }
            else if (segment.Start == last.End)
            {
                sorted[count++] = segment;
            }
            else
            {
                throw new PagingException(
                    PagingError.Corrupt,
                    path,
                    $"segments at 0x{last.Start:x} and 0x{segment.Start:x} overlap",
                    "take the dump again"
                );
            }
        }
        return sorted[..count];
    }

    /// <summary>
    /// The segments without whole pages for which the file holds no data. Never more seams than before: a hole counts
    /// from the first whole page of the guest inside it to the last.
    /// </summary>
    public static ImageSegment[] WithoutHoles(ImageSegment[] segments, DataExtents extents)
    {
        var kept = new List<ImageSegment>(segments.Length);
        foreach (var segment in segments)
        {
            var fileEnd = segment.FileOffset + segment.Length;
            // What is kept begins here; holes behind it end it.
            var start = segment.Start;
            for (var at = segment.FileOffset; at < fileEnd; )
            {
                var (dataStart, dataEnd) = extents.Next(at);
                var holeStart = PageUp(segment.Start + (at - segment.FileOffset));
                var holeEnd = PageDown(
                    segment.Start + (Math.Min(dataStart, fileEnd) - segment.FileOffset),
                    segment.End
                );
                if (holeEnd > holeStart)
                {
                    Keep(kept, segment, start, holeStart);
                    start = holeEnd;
                }

                at = dataEnd;
            }

            Keep(kept, segment, start, segment.End);
        }

        return [.. kept];
    }

    private static void Keep(List<ImageSegment> kept, in ImageSegment segment, ulong start, ulong end)
    {
        if (end > start)
            kept.Add(new ImageSegment(start, end - start, segment.FileOffset + (start - segment.Start)));
    }

    private static ulong PageUp(ulong address) => (address + Page.OffsetMask) & ~Page.OffsetMask;

    // Behind the segment there is nothing that would be lost.
    private static ulong PageDown(ulong address, ulong end) => address == end ? end : address & ~Page.OffsetMask;

    private static void RequireInside(string path, in ImageSegment segment, ulong fileLength)
    {
        if (segment.Start >= AddressLimit || segment.Length > AddressLimit - segment.Start)
        {
            throw new PagingException(
                PagingError.Corrupt,
                path,
                $"segment at 0x{segment.Start:x} ends past the 52-bit address space",
                "take the dump again"
            );
        }
        if (segment.FileOffset > fileLength || segment.Length > fileLength - segment.FileOffset)
        {
            throw new PagingException(
                PagingError.Truncated,
                path,
                $"truncated: segment at 0x{segment.Start:x} needs {segment.Length} bytes at offset {segment.FileOffset}"
                    + $" but the file has {fileLength} bytes",
                "copy or take the image again"
            );
        }
    }
}
