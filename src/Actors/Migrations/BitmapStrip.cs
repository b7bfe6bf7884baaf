using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>Userfault bitmaps as a picture: the share of pages in place in each equal part of the guest.</summary>
internal static class BitmapStrip
{
    /// <summary>
    /// The picture of slots laid end to end. Reads the bitmaps while their owners write, as any thread may.
    /// </summary>
    /// <param name="bitmaps">One per slot, in order.</param>
    /// <param name="cells">Maximum number of cells; there are never more cells than pages.</param>
    /// <returns>Per cell the share of pages in place: 0 none, 255 all.</returns>
    public static byte[] Of(IReadOnlyList<UserfaultBitmap> bitmaps, int cells)
    {
        ulong pages = 0;
        foreach (var bitmap in bitmaps)
            pages += bitmap.Pages;
        var count = (ulong)Math.Max(1, Math.Min((ulong)cells, pages));
        var strip = new byte[count];
        // One walk over the bitmaps for all cells: there may be tens of thousands of them.
        var bitmapAt = 0;
        ulong bitmapStart = 0;
        for (ulong cell = 0; cell < count; cell++)
        {
            var start = (ulong)((UInt128)pages * cell / count);
            var end = (ulong)((UInt128)pages * (cell + 1) / count);
            if (end == start)
                continue;
            strip[cell] = (byte)(
                255 * (end - start - MissingIn(bitmaps, start, end, ref bitmapAt, ref bitmapStart)) / (end - start)
            );
        }

        return strip;
    }

    // The bitmap that holds the range's first page, or lies before it; the range's end is the next one's start.
    private static ulong MissingIn(
        IReadOnlyList<UserfaultBitmap> bitmaps,
        ulong start,
        ulong end,
        ref int index,
        ref ulong at
    )
    {
        ulong missing = 0;
        while (index < bitmaps.Count && at < end)
        {
            var bitmap = bitmaps[index];
            var from = Math.Max(start, at);
            var to = Math.Min(end, at + bitmap.Pages);
            if (from < to)
                missing += bitmap.Count(from - at, to - from);
            if (at + bitmap.Pages > end)
                break;
            at += bitmap.Pages;
            index++;
        }

        return missing;
    }
}
