using System.Numerics;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Which pages of a slot are still to be fetched: missing by the userfault bitmap, and not claimed by a fetch under
/// way. Demand and background both claim here, so neither asks for what the other has asked for. One owner, the
/// memslot; the bitmap may be cleared by others at any time.
/// </summary>
public sealed class PageClaims : IDisposable
{
    private const int BitsPerWord = 64;
    private const ulong ShortRange = 64 * BitsPerWord;
    private readonly UserfaultBitmap _missing;
    private readonly UserfaultBitmap _claimed;

    /// <summary>No claims on a slot.</summary>
    /// <param name="slot">The slot's pages.</param>
    /// <param name="missing">Its userfault bitmap; the caller's.</param>
    public PageClaims(MemoryPageRange slot, UserfaultBitmap missing)
    {
        ArgumentNullException.ThrowIfNull(missing);
        ArgumentOutOfRangeException.ThrowIfNotEqual(missing.Pages, slot.Count, nameof(missing));
        Slot = slot;
        _missing = missing;
        _claimed = UserfaultBitmap.Allocate(slot.Count);
    }

    /// <summary>The slot's pages.</summary>
    public MemoryPageRange Slot { get; }

    /// <summary>Is the page missing, and nobody fetches it?</summary>
    public bool IsOpen(MemoryPage page) => _missing.IsSet(IndexOf(page)) && !_claimed.IsSet(IndexOf(page));

    /// <summary>A fetch of these pages begins.</summary>
    public void Claim(MemoryPageRange range) => _claimed.SetRange(IndexOf(range.Start), range.Count);

    /// <summary>
    /// The fetch is over. Pages that have come have their bit clear by now; the others are open again.
    /// </summary>
    public void Release(MemoryPageRange range) => _claimed.ClearRange(IndexOf(range.Start), range.Count);

    /// <summary>
    /// What to fetch for a fault: the run of open pages around it within its naturally aligned window. Only the page
    /// itself with a window of 1; empty where the page is not open.
    /// </summary>
    /// <param name="fault">The page that somebody waits for.</param>
    /// <param name="windowPages">A power of 2.</param>
    public MemoryPageRange WindowAround(MemoryPage fault, ulong windowPages)
    {
        if (!BitOperations.IsPow2(windowPages))
            throw new ArgumentOutOfRangeException(nameof(windowPages), windowPages, "not a power of 2");
        if (!IsOpen(fault))
            return new MemoryPageRange(fault, 0);
        // Aligned by page and not by index: huge pages and chunks of other slots align by page as well.
        var window = new MemoryPageRange(new MemoryPage(fault.Value & ~(windowPages - 1)), windowPages).Intersect(Slot);
        var index = IndexOf(fault);
        return Pages(RunStart(index, IndexOf(window.Start)), RunEnd(index, IndexOf(window.Start) + window.Count));
    }

    /// <summary>
    /// The first run of open pages at or behind <paramref name="from"/> and before <paramref name="end"/>, cut to
    /// <paramref name="mostPages"/>; empty where there is none.
    /// </summary>
    public MemoryPageRange NextOpen(MemoryPage from, MemoryPage end, ulong mostPages)
    {
        var limit = Math.Min(end.PagesFrom(Slot.Start), Slot.Count);
        var start = FirstOpen(from.PagesFrom(Slot.Start), limit);
        return start >= limit || mostPages == 0
            ? new MemoryPageRange(end, 0)
            : Pages(start, RunEnd(start, start + Math.Min(mostPages, limit - start)));
    }

    /// <summary>The last run of open pages before <paramref name="end"/>, cut to its last <paramref name="mostPages"/>;
    /// empty where there is none.</summary>
    public MemoryPageRange LastOpen(MemoryPage end, ulong mostPages)
    {
        var index = Math.Min(end.PagesFrom(Slot.Start), Slot.Count);
        if (mostPages == 0 || !TryFindLast(ref index))
            return new MemoryPageRange(end, 0);
        return Pages(RunStart(index, index + 1 - Math.Min(mostPages, index + 1)), index + 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _claimed.Dispose();

    // The highest open index below the given one.
    private bool TryFindLast(ref ulong index)
    {
        while (index > 0)
        {
            var last = index - 1;
            var bits = OpenWord(last / BitsPerWord) << (int)(BitsPerWord - 1 - (last % BitsPerWord));
            if (bits != 0)
            {
                index = last - (ulong)BitOperations.LeadingZeroCount(bits);
                return true;
            }
            index = last / BitsPerWord * BitsPerWord;
        }
        return false;
    }

    private ulong FirstOpen(ulong from, ulong limit)
    {
        // The bitmap's own search is fast but runs on to the bitmap's end; a short range is looked at word by word.
        if (limit - Math.Min(from, limit) > ShortRange)
            return _missing.FindNextDifference(_claimed, from);
        while (from < limit)
        {
            var bits = OpenWord(from / BitsPerWord) >> (int)(from % BitsPerWord);
            if (bits != 0)
                return from + (ulong)BitOperations.TrailingZeroCount(bits);
            from = (from / BitsPerWord * BitsPerWord) + BitsPerWord;
        }
        return limit;
    }

    // Index behind the run of open pages that holds an open one, at most limit.
    private ulong RunEnd(ulong start, ulong limit)
    {
        for (var index = start; index < limit; index = (index / BitsPerWord * BitsPerWord) + BitsPerWord)
        {
            var closed = ~OpenWord(index / BitsPerWord) >> (int)(index % BitsPerWord);
            if (closed != 0)
                return Math.Min(limit, Math.Max(start + 1, index + (ulong)BitOperations.TrailingZeroCount(closed)));
        }
        return limit;
    }

    // First index of the run of open pages that holds an open one, at least floor.
    private ulong RunStart(ulong last, ulong floor)
    {
        var index = last;
        while (true)
        {
            var closed = ~OpenWord(index / BitsPerWord) << (int)(BitsPerWord - 1 - (index % BitsPerWord));
            if (closed != 0)
                return Math.Max(floor, Math.Min(last, index + 1 - (ulong)BitOperations.LeadingZeroCount(closed)));
            var first = index / BitsPerWord * BitsPerWord;
            if (first <= floor)
                return floor;
            index = first - 1;
        }
    }

    // A page found open a moment ago may have come meanwhile; the run keeps it, so that no caller takes an empty run
    // for the end of all open pages.
    private MemoryPageRange Pages(ulong start, ulong end) => new(Slot.Start.Plus(start), end - start);

    private ulong OpenWord(ulong word) => _missing.ReadWord(word) & ~_claimed.ReadWord(word);

    private ulong IndexOf(MemoryPage page) => page.PagesFrom(Slot.Start);
}
