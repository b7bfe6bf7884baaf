using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>
/// Pages in the order in which they are asked for; what has to be asked for again comes first. A ring that grows.
/// </summary>
internal sealed class PageQueue
{
    private MemoryPage[] _ring = new MemoryPage[256];
    private int _first;

    /// <summary>How many entries there are, pages that were taken out of their turn among them.</summary>
    public int Count { get; private set; }

    /// <summary>Behind all others.</summary>
    public void Add(MemoryPage page)
    {
        if (Count == _ring.Length)
            Grow();
        _ring[(_first + Count++) & (_ring.Length - 1)] = page;
    }

    /// <summary>Before all others.</summary>
    public void AddFirst(MemoryPage page)
    {
        if (Count == _ring.Length)
            Grow();
        _first = (_first - 1) & (_ring.Length - 1);
        _ring[_first] = page;
        Count++;
    }

    /// <summary>Takes the first.</summary>
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

    /// <summary>Forgets all.</summary>
    public void Clear() => (_first, Count) = (0, 0);

    private void Grow()
    {
        var ring = new MemoryPage[_ring.Length * 2];
        for (var i = 0; i < Count; i++)
            ring[i] = _ring[(_first + i) & (_ring.Length - 1)];
        (_ring, _first) = (ring, 0);
    }
}
