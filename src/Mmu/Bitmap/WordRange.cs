namespace Userfault.Mmu;

/// <summary>
/// The words that a run of bits touches: the first and the last through a mask, those in between whole. If the run lies
/// within one word, <see cref="First"/> equals <see cref="Last"/> and both masks are the same.
/// </summary>
internal readonly struct WordRange
{
    /// <summary>
    /// The words of bits [<paramref name="start"/>, start + count); <paramref name="count"/> is not 0 and the sum does
    /// not wrap.
    /// </summary>
    public WordRange(ulong start, ulong count)
    {
        var end = start + count - 1;
        First = start / BitmapWords.BitsPerWord;
        Last = end / BitmapWords.BitsPerWord;
        FirstMask = ulong.MaxValue << (int)(start % BitmapWords.BitsPerWord);
        LastMask = ulong.MaxValue >> (int)(BitmapWords.BitsPerWord - 1 - (end % BitmapWords.BitsPerWord));
        if (First == Last)
            FirstMask = LastMask = FirstMask & LastMask;
    }

    /// <summary>Index of the first word.</summary>
    public ulong First { get; }

    /// <summary>Index of the last word, inclusive.</summary>
    public ulong Last { get; }

    /// <summary>The run's bits in the first word.</summary>
    public ulong FirstMask { get; }

    /// <summary>The run's bits in the last word.</summary>
    public ulong LastMask { get; }
}
