using Userfault.Mmu;

namespace Userfault.Fetch;

/// <summary>Pages in the order in which they are asked for; what has to be asked for again comes first. A ring that grows.</summary>
internal sealed class PageQueue
{
    private Gfn[] _ring = new Gfn[256];
    private int _first;

    /// <summary>How many entries there are, pages that were taken out of their turn among them.</summary>
    public int Count { get; private set; }

    /// <summary>Behind all others.</summary>
    public void Add(Gfn gfn)
    {
        if (Count == _ring.Length) Grow();
        _ring[(_first + Count++) & (_ring.Length - 1)] = gfn;
    }

    /// <summary>Before all others.</summary>
    public void AddFirst(Gfn gfn)
    {
        if (Count == _ring.Length) Grow();
        _first = (_first - 1) & (_ring.Length - 1);
        _ring[_first] = gfn;
        Count++;
    }

    /// <summary>Takes the first.</summary>
    public bool TryTake(out Gfn gfn)
    {
        gfn = default;
        if (Count == 0) return false;
        gfn = _ring[_first];
        _first = (_first + 1) & (_ring.Length - 1);
        Count--;
        return true;
    }

    /// <summary>Forgets all.</summary>
    public void Clear() => (_first, Count) = (0, 0);

    private void Grow()
    {
        var ring = new Gfn[_ring.Length * 2];
        for (var i = 0; i < Count; i++) ring[i] = _ring[(_first + i) & (_ring.Length - 1)];
        (_ring, _first) = (ring, 0);
    }
}
