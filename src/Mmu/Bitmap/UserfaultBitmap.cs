using System.Numerics;
using System.Runtime.InteropServices;

namespace Userfault.Mmu;

/// <summary>
/// One bit per page: a set bit means that the page's content is not in place yet and an access must exit. The memory
/// has exactly the layout that <c>kvm_userspace_memory_region2.userfault_bitmap</c> points at, so that it can be passed
/// to a kernel or shared with another process. The index is the page's offset from its slot's base. Only the memslot
/// clears bits; any thread may read them, as the kernel does.
/// </summary>
/// <remarks>
/// Bits are read with acquire and cleared with release: a reader that finds a bit clear sees the content that was put
/// in place before. Changes are atomic per word. Bits of the last word beyond <see cref="Pages"/> belong to the owner
/// of the memory: they are never changed, counted or found. Nothing allocates after construction. The owner disposes of
/// the bitmap when it is no longer used; there is no finalizer, which could free memory under a reader of
/// <see cref="Words"/>.
/// </remarks>
public sealed unsafe class UserfaultBitmap : IDisposable
{
    // A cache line, and the widest vector's natural alignment.
    private const int Alignment = 64;

    private void* _owned;
    private ulong* _words;
    private ulong _pages;

    private UserfaultBitmap(ulong* words, ulong pages, void* owned)
    {
        _words = words;
        _pages = pages;
        _owned = owned;
    }

    /// <summary>Pages covered; 0 after <see cref="Dispose"/>.</summary>
    public ulong Pages => _pages;

    /// <summary>64-bit words of the bitmap: the ceiling of <see cref="Pages"/> / 64.</summary>
    public ulong WordCount => BitmapWords.WordsFor(_pages);

    /// <summary>The words, valid until <see cref="Dispose"/>; null for 0 pages in caller's memory at null.</summary>
    public ulong* Words => _words;

    /// <summary>
    /// A bitmap in native memory of its own, 64-byte aligned, all bits clear. The machine commits a big one piece by
    /// piece as bits are set: a guest with memory at high addresses costs what it has, not how far it reaches.
    /// </summary>
    /// <param name="pages">Pages to cover; 0 is allowed.</param>
    /// <exception cref="OutOfMemoryException">The memory cannot be allocated.</exception>
    public static UserfaultBitmap Allocate(ulong pages)
    {
        var bytes = checked((nuint)(BitmapWords.WordsFor(pages) * sizeof(ulong)));
        var memory = NativeMemory.AllocZeroed(checked(bytes + Alignment));
        var words = (ulong*)(((nuint)memory + Alignment - 1) & ~(nuint)(Alignment - 1));
        return new UserfaultBitmap(words, pages, memory);
    }

    /// <summary>A view of the caller's memory, which keeps its content and outlives this object.</summary>
    /// <param name="words">ceil(pages / 64) words, 8-byte aligned, as atomic instructions require.</param>
    /// <param name="pages">Pages to cover; 0 is allowed, with any aligned pointer.</param>
    /// <exception cref="ArgumentNullException"><paramref name="words"/> is null and there are pages.</exception>
    /// <exception cref="ArgumentException"><paramref name="words"/> is not 8-byte aligned.</exception>
    public static UserfaultBitmap Over(ulong* words, ulong pages)
    {
        if (pages != 0)
            ArgumentNullException.ThrowIfNull(words);
        if ((nuint)words % sizeof(ulong) != 0)
        {
            throw new ArgumentException("Bitmap words must be 8-byte aligned.", nameof(words));
        }
        return new UserfaultBitmap(words, pages, owned: null);
    }

    /// <summary>Is the page still missing? Load-acquire.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is not below
    /// <see cref="Pages"/>.</exception>
    public bool IsSet(ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _pages);
        return BitmapWords.IsSet(_words, index);
    }

    /// <summary>
    /// Word <paramref name="wordIndex"/> with acquire; bits beyond <see cref="Pages"/> read as clear.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">No such word.</exception>
    public ulong ReadWord(ulong wordIndex) => Volatile.Read(ref _words[CheckWord(wordIndex)]) & ValidBits(wordIndex);

    /// <summary>Marks one page missing.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is not below
    /// <see cref="Pages"/>.</exception>
    public void Set(ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _pages);
        BitmapWords.ApplySet(_words, index / BitmapWords.BitsPerWord, BitmapWords.MaskOf(index));
    }

    /// <summary>Marks one page present, with release order: its content must be in place before the call.</summary>
    /// <returns>Was the bit set? Of several callers, exactly one gets true.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="index"/> is not below
    /// <see cref="Pages"/>.</exception>
    public bool Clear(ulong index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, _pages);
        return BitmapWords.ApplyClear(_words, index / BitmapWords.BitsPerWord, BitmapWords.MaskOf(index)) != 0;
    }

    /// <summary>
    /// Clears the bits of <paramref name="mask"/> in one word, with release order. Applies a broadcast of clears, and
    /// takes a word of a dirty log if all bits are ones. Bits beyond <see cref="Pages"/> are ignored.
    /// </summary>
    /// <returns>The bits that were set before: of several callers, exactly one gets each bit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No such word.</exception>
    public ulong ApplyClear(ulong wordIndex, ulong mask) =>
        BitmapWords.ApplyClear(_words, CheckWord(wordIndex), mask & ValidBits(wordIndex));

    /// <summary>Marks every page missing.</summary>
    public void SetAll() => SetRange(0, _pages);

    /// <summary>Marks pages [<paramref name="start"/>, start + count) missing.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the bitmap.</exception>
    public void SetRange(ulong start, ulong count)
    {
        if (CheckRange(start, count) == 0)
            return;
        var range = new WordRange(start, count);
        BitmapWords.ApplySet(_words, range.First, range.FirstMask);
        // Exactly one store per word, hence no memset, which may write a word twice: between the two stores another
        // thread could clear a bit and report it, and the second store would set it again.
        for (var word = range.First + 1; word < range.Last; word++)
            Volatile.Write(ref _words[word], ulong.MaxValue);
        if (range.Last != range.First)
            BitmapWords.ApplySet(_words, range.Last, range.LastMask);
    }

    /// <summary>Marks pages [<paramref name="start"/>, start + count) present, with release order.</summary>
    /// <returns>Number of pages that were missing.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the bitmap.</exception>
    public ulong ClearRange(ulong start, ulong count)
    {
        if (CheckRange(start, count) == 0)
            return 0;
        var range = new WordRange(start, count);
        var cleared = ClearWord(range.First, range.FirstMask);
        if (range.Last == range.First)
            return cleared;
        for (var word = range.First + 1; word < range.Last; word++)
            cleared += ClearWord(word, ulong.MaxValue);
        return cleared + ClearWord(range.Last, range.LastMask);
    }

    /// <summary>Number of missing pages.</summary>
    public ulong Count() => Count(0, _pages);

    /// <summary>Number of missing pages in [<paramref name="start"/>, start + count).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range does not lie within the bitmap.</exception>
    public ulong Count(ulong start, ulong count)
    {
        if (CheckRange(start, count) == 0)
            return 0;
        var range = new WordRange(start, count);
        var first = (ulong)BitOperations.PopCount(_words[range.First] & range.FirstMask);
        if (range.Last == range.First)
            return first;
        return first
            + BitmapWords.PopCount(_words, range.First + 1, range.Last)
            + (ulong)BitOperations.PopCount(_words[range.Last] & range.LastMask);
    }

    /// <summary>The first missing page at or after <paramref name="from"/>; <see cref="Pages"/> if none.</summary>
    public ulong FindNextSet(ulong from) => FindNext(from, other: 0);

    /// <summary>
    /// The first page at or after <paramref name="from"/> that is present; <see cref="Pages"/> if none. Acquires: the
    /// content of the page found is visible.
    /// </summary>
    public ulong FindNextClear(ulong from) => FindNext(from, other: ulong.MaxValue);

    /// <summary>
    /// The first page at or after <paramref name="from"/> that is missing here and present in <paramref name="right"/>;
    /// <see cref="Pages"/> if none. A replica that lost a broadcast must catch up with these pages.
    /// </summary>
    /// <exception cref="ArgumentException">The bitmaps differ in length.</exception>
    public ulong FindNextDifference(UserfaultBitmap right, ulong from)
    {
        CheckSameLength(right);
        if (from >= _pages)
            return _pages;
        var word = from / BitmapWords.BitsPerWord;
        var mask = ulong.MaxValue << (int)(from % BitmapWords.BitsPerWord);
        while (true)
        {
            var bits = Volatile.Read(ref _words[word]) & ~Volatile.Read(ref right._words[word]) & mask;
            if (bits != 0)
                return IndexIn(word, bits);
            word = BitmapWords.IndexOfDifference(_words, right._words, word + 1, WordCount);
            if (word == WordCount)
                return _pages;
            mask = ulong.MaxValue;
        }
    }

    /// <summary>Number of pages that are missing here and present in <paramref name="right"/>.</summary>
    /// <exception cref="ArgumentException">The bitmaps differ in length.</exception>
    public ulong CountDifference(UserfaultBitmap right)
    {
        CheckSameLength(right);
        if (_pages == 0)
            return 0;
        var last = WordCount - 1;
        return BitmapWords.PopCountDifference(_words, right._words, last)
            + (ulong)BitOperations.PopCount(_words[last] & ~right._words[last] & ValidBits(last));
    }

    /// <summary>
    /// Writes the pages that are missing in <paramref name="left"/> and present in <paramref name="right"/> to
    /// <paramref name="result"/>, which may be either of them. Not atomic: no other thread may write the result at the
    /// same time.
    /// </summary>
    /// <exception cref="ArgumentException">The bitmaps differ in length.</exception>
    public static void Difference(UserfaultBitmap left, UserfaultBitmap right, UserfaultBitmap result)
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(result);
        left.CheckSameLength(right);
        left.CheckSameLength(result);
        if (left._pages == 0)
            return;
        var last = left.WordCount - 1;
        BitmapWords.AndNot(left._words, right._words, result._words, last);
        var valid = left.ValidBits(last);
        var bits = left._words[last] & ~right._words[last] & valid;
        result._words[last] = (result._words[last] & ~valid) | bits;
    }

    /// <summary>
    /// Frees the memory if the bitmap owns it. The bitmap and its words must no longer be in use.
    /// </summary>
    public void Dispose()
    {
        NativeMemory.Free(_owned);
        _owned = null;
        _words = null;
        _pages = 0;
    }

    private ulong FindNext(ulong from, ulong other)
    {
        if (from >= _pages)
            return _pages;
        var word = from / BitmapWords.BitsPerWord;
        var mask = ulong.MaxValue << (int)(from % BitmapWords.BitsPerWord);
        while (true)
        {
            var bits = (Volatile.Read(ref _words[word]) ^ other) & mask;
            if (bits != 0)
                return IndexIn(word, bits);
            word = BitmapWords.IndexOfOther(_words, word + 1, WordCount, other);
            if (word == WordCount)
                return _pages;
            mask = ulong.MaxValue;
            // The scan used plain reads; the next iteration acquires, and continues if the word has changed since.
        }
    }

    // The bit found may lie beyond the last page, where the content is the memory owner's.
    private ulong IndexIn(ulong word, ulong bits) =>
        Math.Min((word * BitmapWords.BitsPerWord) + (ulong)BitOperations.TrailingZeroCount(bits), _pages);

    private ulong ClearWord(ulong word, ulong mask) =>
        (ulong)BitOperations.PopCount(BitmapWords.ApplyClear(_words, word, mask));

    private ulong ValidBits(ulong word) =>
        word == (_pages - 1) / BitmapWords.BitsPerWord ? BitmapWords.LastWordMask(_pages) : ulong.MaxValue;

    private ulong CheckWord(ulong wordIndex)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(wordIndex, WordCount);
        return wordIndex;
    }

    private ulong CheckRange(ulong start, ulong count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start, _pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _pages - start);
        return count;
    }

    private void CheckSameLength(UserfaultBitmap other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other._pages != _pages)
            throw new ArgumentException($"{other._pages} pages, expected {_pages}.", nameof(other));
    }
}
