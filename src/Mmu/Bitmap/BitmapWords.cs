using System.Numerics;
using System.Runtime.Intrinsics;

namespace Userfault.Mmu;

/// <summary>
/// Operations on raw bitmap words in the layout of the uAPI: bit i of a bitmap is bit i % 64 of the 64-bit word i / 64,
/// as for <c>test_bit</c> and KVM's dirty and userfault bitmaps. No bounds are checked: the memory is the caller's,
/// 8-byte aligned, and may be shared with a kernel or another process.
/// </summary>
/// <remarks>
/// Every change of a word that is shared with other ranges is one atomic instruction, so writers never lose each
/// other's bits. Reads of single words acquire; scans use plain reads and may see different words at different
/// instants.
/// </remarks>
public static unsafe class BitmapWords
{
    /// <summary>Bits in a word.</summary>
    public const int BitsPerWord = 64;

    /// <summary>Words of a bitmap of <paramref name="bits"/> bits: the ceiling of bits / 64.</summary>
    public static ulong WordsFor(ulong bits) => (bits / BitsPerWord) + (bits % BitsPerWord == 0 ? 0UL : 1UL);

    /// <summary>The valid bits of the last word of a bitmap of <paramref name="bits"/> bits.</summary>
    public static ulong LastWordMask(ulong bits) => ulong.MaxValue >> (int)(-(long)bits & (BitsPerWord - 1));

    /// <summary>Bit <paramref name="index"/> within its word.</summary>
    public static ulong MaskOf(ulong index) => 1UL << (int)(index % BitsPerWord);

    /// <summary>
    /// Is the bit set? A load-acquire: if the result is false, everything that the writer did before it cleared the bit
    /// is visible.
    /// </summary>
    public static bool IsSet(ulong* words, ulong index) =>
        (Volatile.Read(ref words[index / BitsPerWord]) & MaskOf(index)) != 0;

    /// <summary>
    /// Sets the bits of <paramref name="mask"/> in one word, atomically (a full barrier if any bit changes).
    /// </summary>
    /// <returns>The bits that were clear before.</returns>
    public static ulong ApplySet(ulong* words, ulong wordIndex, ulong mask)
    {
        // A locked instruction takes the cache line from all readers: avoided if the bits are set already.
        if ((Volatile.Read(ref words[wordIndex]) & mask) == mask)
            return 0;
        return ~Interlocked.Or(ref words[wordIndex], mask) & mask;
    }

    /// <summary>Clears the bits of <paramref name="mask"/> in one word, atomically and with release order.</summary>
    /// <returns>The bits that were set before: of several callers, exactly one gets each bit.</returns>
    public static ulong ApplyClear(ulong* words, ulong wordIndex, ulong mask)
    {
        if ((Volatile.Read(ref words[wordIndex]) & mask) == 0)
            return 0;
        return Interlocked.And(ref words[wordIndex], ~mask) & mask;
    }

    /// <summary>
    /// First index in [<paramref name="from"/>, <paramref name="end"/>) whose word is not <paramref name="value"/>;
    /// <paramref name="end"/> if there is none. <paramref name="from"/> is at most <paramref name="end"/>.
    /// </summary>
    public static ulong IndexOfOther(ulong* words, ulong from, ulong end, ulong value) =>
        Vector512.IsHardwareAccelerated ? WordScan<Words512, Vector512<ulong>>.IndexOfOther(words, from, end, value)
        : Vector256.IsHardwareAccelerated ? WordScan<Words256, Vector256<ulong>>.IndexOfOther(words, from, end, value)
        : Vector128.IsHardwareAccelerated ? WordScan<Words128, Vector128<ulong>>.IndexOfOther(words, from, end, value)
        : WordScan<Words64, ulong>.IndexOfOther(words, from, end, value);

    /// <summary>
    /// First index in [<paramref name="from"/>, <paramref name="end"/>) where <paramref name="left"/> has a bit that
    /// <paramref name="right"/> lacks; <paramref name="end"/> if there is none.
    /// </summary>
    public static ulong IndexOfDifference(ulong* left, ulong* right, ulong from, ulong end) =>
        Vector512.IsHardwareAccelerated ? WordScan<Words512, Vector512<ulong>>.IndexOfDifference(left, right, from, end)
        : Vector256.IsHardwareAccelerated
            ? WordScan<Words256, Vector256<ulong>>.IndexOfDifference(left, right, from, end)
        : Vector128.IsHardwareAccelerated
            ? WordScan<Words128, Vector128<ulong>>.IndexOfDifference(left, right, from, end)
        : WordScan<Words64, ulong>.IndexOfDifference(left, right, from, end);

    /// <summary>
    /// Writes the bits of <paramref name="left"/> that <paramref name="right"/> lacks, word by word and not atomically,
    /// to <paramref name="result"/>, which may be either of them.
    /// </summary>
    public static void AndNot(ulong* left, ulong* right, ulong* result, ulong count)
    {
        if (Vector512.IsHardwareAccelerated)
            WordScan<Words512, Vector512<ulong>>.AndNot(left, right, result, count);
        else if (Vector256.IsHardwareAccelerated)
            WordScan<Words256, Vector256<ulong>>.AndNot(left, right, result, count);
        else if (Vector128.IsHardwareAccelerated)
            WordScan<Words128, Vector128<ulong>>.AndNot(left, right, result, count);
        else
            WordScan<Words64, ulong>.AndNot(left, right, result, count);
    }

    /// <summary>Number of bits set in words [<paramref name="from"/>, <paramref name="end"/>).</summary>
    public static ulong PopCount(ulong* words, ulong from, ulong end)
    {
        // The scalar instruction with four independent sums is about as fast as memory: vectors would gain nothing
        // here.
        ulong a = 0,
            b = 0,
            c = 0,
            d = 0;
        var index = from;
        for (; end - index >= 4; index += 4)
        {
            a += (ulong)BitOperations.PopCount(words[index]);
            b += (ulong)BitOperations.PopCount(words[index + 1]);
            c += (ulong)BitOperations.PopCount(words[index + 2]);
            d += (ulong)BitOperations.PopCount(words[index + 3]);
        }
        for (; index < end; index++)
            a += (ulong)BitOperations.PopCount(words[index]);
        return a + b + c + d;
    }

    /// <summary>
    /// Number of bits set in <paramref name="left"/> and not in <paramref name="right"/>, over <paramref name="count"/>
    /// words.
    /// </summary>
    public static ulong PopCountDifference(ulong* left, ulong* right, ulong count)
    {
        ulong a = 0,
            b = 0;
        var index = 0UL;
        for (; count - index >= 2; index += 2)
        {
            a += (ulong)BitOperations.PopCount(left[index] & ~right[index]);
            b += (ulong)BitOperations.PopCount(left[index + 1] & ~right[index + 1]);
        }
        for (; index < count; index++)
            a += (ulong)BitOperations.PopCount(left[index] & ~right[index]);
        return a + b;
    }
}
