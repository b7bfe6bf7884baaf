using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>What a pager asks for ahead of need: background push, and the neighbours of faults.</summary>
public sealed partial class MemslotPager
{
    /// <summary>Pages are to be pushed that nobody waits for.</summary>
    /// <param name="order">In which order.</param>
    /// <param name="recorded">The working set for the recorded order.</param>
    /// <param name="windowPages">Most pages on their way.</param>
    /// <param name="chunkPages">Pages of one request.</param>
    public void StartPush(PushOrderKind order, WorkingSet? recorded, int windowPages, int chunkPages)
    {
        _makePush = claims => PushOrder.Create(order, claims, recorded);
        _push = _makePush(_claims);
        (_pushWindow, _pushChunk) = ((ulong)windowPages, (ulong)chunkPages);
    }

    /// <summary>The next pages of guest memory to push; false where the window is full or nothing is left.</summary>
    public bool TryPush(out GfnRange pages)
    {
        pages = default;
        if (_push is null || _pushedPages >= _pushWindow || !_push.TryNext(_pushChunk, out var range)) return false;
        _pushed.Add(range);
        _pushedPages += range.Count;
        pages = range with { Start = ToMemory(range.Start) };
        return true;
    }

    /// <summary>Looks which pushes have arrived, so that others can follow.</summary>
    public void SettlePushes()
    {
        for (var i = _pushed.Count - 1; i >= 0; i--)
        {
            var range = _pushed[i];
            if (_bitmap.Count(Index(range.Start), range.Count) != 0) continue;
            _claims.Release(range);
            _pushedPages -= range.Count;
            _pushed.RemoveAt(i);
        }
    }

    /// <summary>
    /// The pages of guest memory that are pushed and have not come: to be asked for again after a loss. Without those that a
    /// vCPU waits for in user space, which are asked for as demand (<see cref="FetchAgain"/>).
    /// </summary>
    public IReadOnlyList<GfnRange> PushesUnderWay() =>
        PageRuns.Of([.. _pushed.SelectMany(PageRuns.PagesOf).Where(p => _bitmap.IsSet(Index(p)) && !_exited.IsAwaited(p)).Select(ToMemory)]);

    /// <summary>Is a page of guest memory missing? False for pages of other slots.</summary>
    public bool IsMissing(Gfn page) => Pages.Contains(page) && _bitmap.IsSet(page.PagesFrom(Pages.Start));

    /// <summary>Has a missing page of guest memory been asked for?</summary>
    internal bool IsAskedFor(Gfn page) => IsMissing(page) && !_claims.IsOpen(ToGuest(page));

    /// <summary>Words of the bitmap for a replica, <see cref="BitmapRange.MostWords"/> at most; empty where there are none.</summary>
    public IReadOnlyList<ulong> BitmapWords(ulong first, uint count)
    {
        if (first >= _bitmap.WordCount) return [];
        var words = new ulong[Math.Min(Math.Min(count, BitmapRange.MostWords), _bitmap.WordCount - first)];
        for (var i = 0; i < words.Length; i++) words[i] = _bitmap.ReadWord(first + (ulong)i);
        return words;
    }

    /// <summary>
    /// The pages behind a page of guest memory that is wanted which nobody has asked for, to be fetched with it: neighbours
    /// are soon needed. Empty where there are none.
    /// </summary>
    public GfnRange WindowAround(Gfn page, ulong windowPages)
    {
        var gfn = ToGuest(page);
        // The page itself is claimed by its fault; its neighbours below and above are what may still be open.
        var above = _claims.NextOpen(gfn.Plus(1), Range.Start.Plus(Math.Min(Range.Count, Index(gfn) + windowPages / 2)), windowPages);
        if (above.IsEmpty || above.Start != gfn.Plus(1)) return default;
        _claims.Claim(above);
        _pushed.Add(above);
        _pushedPages += above.Count;
        return above with { Start = ToMemory(above.Start) };
    }
}
