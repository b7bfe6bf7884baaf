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
        for (ulong cell = 0; cell < count; cell++)
        {
            var start = (ulong)((UInt128)pages * cell / count);
            var end = (ulong)((UInt128)pages * (cell + 1) / count);
            if (end == start)
                continue;
            strip[cell] = (byte)(255 * (end - start - MissingIn(bitmaps, start, end)) / (end - start));
        }

        return strip;
    }

    private static ulong MissingIn(IReadOnlyList<UserfaultBitmap> bitmaps, ulong start, ulong end)
    {
        ulong missing = 0,
            at = 0;
        foreach (var bitmap in bitmaps)
        {
            var from = Math.Max(start, at);
            var to = Math.Min(end, at + bitmap.Pages);
            if (from < to)
                missing += bitmap.Count(from - at, to - from);
            at += bitmap.Pages;
        }

        return missing;
    }
}
