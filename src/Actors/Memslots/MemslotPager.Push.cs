using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Pages that a pager requests ahead of need: background push, and the neighbours of faults.</summary>
public sealed partial class MemslotPager
{
    /// <summary>Starts the background push.</summary>
    /// <param name="order">The order of the pages.</param>
    /// <param name="recorded">The working set for the recorded order.</param>
    /// <param name="windowPages">Maximum pages in flight.</param>
    /// <param name="chunkPages">Pages per request.</param>
    public void StartPush(PushOrderKind order, WorkingSet? recorded, int windowPages, int chunkPages)
    {
        _makePush = claims => PushOrder.Create(order, claims, recorded);
        _push = _makePush(_claims);
        (_pushWindow, _pushChunk) = ((ulong)windowPages, (ulong)chunkPages);
    }

    /// <summary>The next pages of guest memory to push; false if the window is full or nothing is left.</summary>
    public bool TryPush(out MemoryPageRange pages)
    {
        pages = default;
        if (_push is null || _pushedPages >= _pushWindow || !_push.TryNext(_pushChunk, out var range))
            return false;
        _pushed.Add(range);
        _pushedPages += range.Count;
        pages = range;
        return true;
    }

    /// <summary>Releases the pushes that have arrived, so that others can follow.</summary>
    public void SettlePushes()
    {
        for (var i = _pushed.Count - 1; i >= 0; i--)
        {
            var range = _pushed[i];
            if (_bitmap.Count(Index(range.Start), range.Count) != 0)
                continue;
            _claims.Release(range);
            _pushedPages -= range.Count;
            _pushed.RemoveAt(i);
        }
    }

    /// <summary>
    /// The pushed pages of guest memory that have not arrived, to be requested again after a loss. Pages that a vCPU
    /// waits for in user space are left out: they are requested again as demand (<see cref="FetchAgain"/>).
    /// </summary>
    public IReadOnlyList<MemoryPageRange> PushesUnderWay() =>
        PageRuns.Of([
            .. _pushed
                .SelectMany(PageRuns.PagesOf)
                .Where(p => _bitmap.IsSet(Index(p)) && !_exited.IsAwaited(ToGuest(p))),
        ]);

    /// <summary>Is a page of guest memory missing? False for pages of other slots.</summary>
    public bool IsMissing(MemoryPage page) => Pages.Contains(page) && _bitmap.IsSet(Index(page));

    /// <summary>Has a missing page of guest memory been requested?</summary>
    internal bool IsAskedFor(MemoryPage page) => IsMissing(page) && !_claims.IsOpen(page);

    /// <summary>
    /// Words of the bitmap for a replica, at most <see cref="BitmapRange.MostWords"/>; empty if there are none.
    /// </summary>
    public IReadOnlyList<ulong> BitmapWords(ulong first, uint count)
    {
        if (first >= _bitmap.WordCount)
            return [];
        var words = new ulong[Math.Min(Math.Min(count, BitmapRange.MostWords), _bitmap.WordCount - first)];
        for (var i = 0; i < words.Length; i++)
            words[i] = _bitmap.ReadWord(first + (ulong)i);
        return words;
    }

    /// <summary>
    /// The run of pages directly after a wanted page that have not been requested yet, to be fetched with it:
    /// neighbours are soon needed. Empty if there are none.
    /// </summary>
    public MemoryPageRange WindowAround(MemoryPage page, ulong windowPages)
    {
        // The page itself is claimed by its fault; the window reaches half its size beyond it.
        var above = _claims.NextOpen(
            page.Plus(1),
            Pages.Start.Plus(Math.Min(Range.Count, Index(page) + windowPages / 2)),
            windowPages
        );
        if (above.IsEmpty || above.Start != page.Plus(1))
            return default;
        _claims.Claim(above);
        _pushed.Add(above);
        _pushedPages += above.Count;
        return above;
    }
}
