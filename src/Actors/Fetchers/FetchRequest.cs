using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors;

/// <summary>One request that a fetcher has sent to a source and that is not over. Reused; the core owns it.</summary>
public sealed class FetchRequest
{
    private readonly List<GfnRange> _ranges = new(8);

    /// <summary>The fetcher's number for it.</summary>
    public ulong Id { get; internal set; }

    /// <summary>Which source it goes to.</summary>
    public int Source { get; internal set; }

    /// <summary>Demand or background.</summary>
    public FetchPriority Priority { get; internal set; }

    /// <summary>When it was sent, in ns.</summary>
    public long SentNs { get; internal set; }

    /// <summary>Is it a second try at pages that another request still asks for?</summary>
    public bool IsHedge { get; internal set; }

    /// <summary>Was a page in an answer to it that it did not ask for, or did it lack one?</summary>
    internal bool WasBad { get; set; }

    /// <summary>Was a hedge made for it?</summary>
    internal bool WasHedged { get; set; }

    /// <summary>The pages, in the order wanted.</summary>
    public IReadOnlyList<GfnRange> Ranges => _ranges;

    /// <summary>How many pages it asked for.</summary>
    public int Pages { get; private set; }

    /// <summary>How many of them have come by this request.</summary>
    internal int Arrived { get; set; }

    internal void Reset(ulong id, int source, FetchPriority priority, long sentNs, bool isHedge)
    {
        (Id, Source, Priority, SentNs, IsHedge, WasHedged, Pages) = (id, source, priority, sentNs, isHedge, false, 0);
        Arrived = 0;
        WasBad = false;
        _ranges.Clear();
    }

    /// <summary>Appends a page; a run of neighbours is one range.</summary>
    internal void Add(Gfn gfn)
    {
        Pages++;
        if (_ranges.Count > 0 && _ranges[^1].End == gfn)
            _ranges[^1] = _ranges[^1] with { Count = _ranges[^1].Count + 1 };
        else
            _ranges.Add(new GfnRange(gfn, 1));
    }

    internal bool Holds(Gfn gfn)
    {
        foreach (var range in _ranges)
        {
            if (range.Contains(gfn)) return true;
        }

        return false;
    }
}
