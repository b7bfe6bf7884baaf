using System.Numerics;

namespace Userfault.Qemu;

/// <summary>A bitmap of pages, as mapped-ram has it: byte n, bit k is page 8n + k; 1 where it has content.</summary>
internal static unsafe class PageBits
{
    /// <summary>
    /// The longest run that <see cref="ZeroRun"/> counts: 4 KiB of bitmap, which takes some tens of nanoseconds.
    /// Without a bound a caller that asks at every page of a large hole would scan all of it each time.
    /// </summary>
    public const ulong MaxRun = 1 << 15;

    /// <summary>Bytes of the bitmap of so many pages.</summary>
    public static ulong BytesOf(ulong pages) => (pages + 7) / 8;

    /// <summary>Has the page content?</summary>
    public static bool IsSet(byte* bits, ulong page) => (bits[page / 8] & (1 << (int)(page % 8))) != 0;

    /// <summary>How many pages from one on have content.</summary>
    /// <param name="bits">The bitmap.</param>
    /// <param name="page">The first page.</param>
    /// <param name="pages">How many pages to look at.</param>
    public static ulong Count(byte* bits, ulong page, ulong pages)
    {
        ulong count = 0,
            at = page;
        var end = page + pages;
        for (; at < end && at % 8 != 0; at++)
            count += IsSet(bits, at) ? 1UL : 0;
        for (; end - at >= 64; at += 64)
            count += (ulong)BitOperations.PopCount(*(ulong*)(bits + (at / 8)));
        for (; at < end; at++)
            count += IsSet(bits, at) ? 1UL : 0;
        return count;
    }

    /// <summary>Pages without content from one on, at most <see cref="MaxRun"/>.</summary>
    /// <param name="bits">The bitmap.</param>
    /// <param name="page">The first page.</param>
    /// <param name="pages">Pages of the bitmap.</param>
    public static ulong ZeroRun(byte* bits, ulong page, ulong pages)
    {
        var most = Math.Min(pages - page, MaxRun);
        var rest = bits[page / 8] >> (int)(page % 8);
        if (rest != 0)
            return Math.Min((ulong)BitOperations.TrailingZeroCount(rest), most);
        var next = (page | 7) + 1;
        if (next - page >= most)
            return most;
        var behind = new ReadOnlySpan<byte>(bits + (next / 8), (int)BytesOf(page + most - next));
        var found = behind.IndexOfAnyExcept((byte)0);
        return found < 0
            ? most
            : Math.Min(next - page + (8 * (ulong)found) + (ulong)BitOperations.TrailingZeroCount(behind[found]), most);
    }
}
