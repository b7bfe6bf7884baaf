namespace Userfault.Mmu;

/// <summary>
/// The loops over long runs of bitmap words, written once for all vector widths. Each iteration combines several
/// vectors into one test, so that the loop is bound by memory rather than by branches. Reads are plain; before acting
/// on the result, the caller reads that word again with acquire.
/// </summary>
internal static unsafe class WordScan<TWords, TVector>
    where TWords : struct, IWordVector<TVector>
    where TVector : unmanaged
{
    /// <summary>
    /// First index in [<paramref name="from"/>, <paramref name="end"/>) whose word is not <paramref name="value"/>;
    /// <paramref name="end"/> if there is none.
    /// </summary>
    public static ulong IndexOfOther(ulong* words, ulong from, ulong end, ulong value)
    {
        var step = TWords.WordCount;
        var expected = TWords.Broadcast(value);
        var index = from;
        // `index <= end` holds throughout, so `end - index` never wraps.
        while (end - index >= 4 * step)
        {
            var at = words + index;
            var low = TWords.Or(TWords.Xor(TWords.Load(at), expected), TWords.Xor(TWords.Load(at + step), expected));
            var high = TWords.Or(
                TWords.Xor(TWords.Load(at + (2 * step)), expected),
                TWords.Xor(TWords.Load(at + (3 * step)), expected)
            );
            if (!TWords.IsZero(TWords.Or(low, high)))
                break;
            index += 4 * step;
        }
        while (index < end && words[index] == value)
            index++;
        return index;
    }

    /// <summary>
    /// First index in [<paramref name="from"/>, <paramref name="end"/>) where <paramref name="left"/> has a bit that
    /// <paramref name="right"/> lacks; <paramref name="end"/> if there is none.
    /// </summary>
    public static ulong IndexOfDifference(ulong* left, ulong* right, ulong from, ulong end)
    {
        var step = TWords.WordCount;
        var index = from;
        while (end - index >= 2 * step)
        {
            var low = TWords.AndNot(TWords.Load(left + index), TWords.Load(right + index));
            var high = TWords.AndNot(TWords.Load(left + index + step), TWords.Load(right + index + step));
            if (!TWords.IsZero(TWords.Or(low, high)))
                break;
            index += 2 * step;
        }
        while (index < end && (left[index] & ~right[index]) == 0)
            index++;
        return index;
    }

    /// <summary>
    /// Writes the bits of <paramref name="left"/> that <paramref name="right"/> lacks to <paramref name="result"/>,
    /// which may be either of them.
    /// </summary>
    public static void AndNot(ulong* left, ulong* right, ulong* result, ulong count)
    {
        var step = TWords.WordCount;
        var index = 0UL;
        for (; count - index >= step; index += step)
        {
            TWords.Store(TWords.AndNot(TWords.Load(left + index), TWords.Load(right + index)), result + index);
        }
        for (; index < count; index++)
            result[index] = left[index] & ~right[index];
    }
}
