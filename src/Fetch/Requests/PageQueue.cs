using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Pages in the order in which they will be requested; pages to be requested again go to the front. A growing ring
/// buffer.
/// </summary>
internal sealed class PageQueue
{
    private MemoryPage[] _ring = new MemoryPage[256];
    private int _first;

    /// <summary>Number of entries, including stale ones of pages that were promoted or forgotten.</summary>
    public int Count { get; private set; }

    /// <summary>Appends a page.</summary>
    public void Add(MemoryPage page)
    {
        if (Count == _ring.Length)
            Grow();
        _ring[(_first + Count++) & (_ring.Length - 1)] = page;
    }

    /// <summary>Inserts a page at the front.</summary>
    public void AddFirst(MemoryPage page)
    {
        if (Count == _ring.Length)
            Grow();
        _first = (_first - 1) & (_ring.Length - 1);
        _ring[_first] = page;
        Count++;
    }

    /// <summary>Takes the first entry.</summary>
    public bool TryTake(out MemoryPage page)
    {
        page = default;
        if (Count == 0)
            return false;
        page = _ring[_first];
        _first = (_first + 1) & (_ring.Length - 1);
        Count--;
        return true;
    }

    /// <summary>Removes all entries.</summary>
    public void Clear() => (_first, Count) = (0, 0);

    private void Grow()
    {
        var ring = new MemoryPage[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
            ring[i] = _ring[(_first + i) & (_ring.Length - 1)];
        (_ring, _first) = (ring, 0);
    }
}
