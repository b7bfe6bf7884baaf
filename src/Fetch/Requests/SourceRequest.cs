using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>One request that an engine has made to a source and that is not over. Reused; the engine owns it.</summary>
public sealed class SourceRequest
{
    /// <summary>
    /// <see cref="WaitedSinceNs"/> of a request without demand pages, or whose demand pages are already hedged.
    /// </summary>
    internal const long NobodyWaits = long.MaxValue;

    private readonly List<MemoryPageRange> _ranges = new(8);

    /// <summary>Its number, under which the source answers.</summary>
    public ulong Id { get; private set; }

    /// <summary>Which source it goes to.</summary>
    public int Source { get; private set; }

    /// <summary>Demand or background.</summary>
    public FetchPriority Priority { get; private set; }

    /// <summary>When it was made, in ns.</summary>
    public long SentNs { get; private set; }

    /// <summary>Does it ask for pages that another request asks for as well?</summary>
    public bool IsHedge { get; private set; }

    /// <summary>The pages, in the order wanted. Valid until the engine takes its next event.</summary>
    public ReadOnlySpan<MemoryPageRange> Ranges => CollectionsMarshal.AsSpan(_ranges);

    /// <summary>How many pages it asks for.</summary>
    public int Pages { get; private set; }

    /// <summary>How many of its pages are still wanted of it.</summary>
    internal int Wanted { get; set; }

    /// <summary>Since when a demand page of it that is not hedged has been waited for, in ns.</summary>
    internal long WaitedSinceNs { get; set; }

    /// <summary>Was something wrong with its answer already?</summary>
    internal bool WasBad { get; set; }

    internal void Reset(ulong id, int source, FetchPriority priority, long sentNs, bool isHedge)
    {
        (Id, Source, Priority, SentNs, IsHedge) = (id, source, priority, sentNs, isHedge);
        WaitedSinceNs = isHedge || priority == FetchPriority.Background ? NobodyWaits : sentNs;
        (Pages, Wanted, WasBad) = (0, 0, false);
        _ranges.Clear();
    }

    /// <summary>Appends a page; a run of neighbours is one range.</summary>
    internal void Add(MemoryPage page)
    {
        Pages++;
        Wanted++;
        if (_ranges.Count > 0 && _ranges[^1].End == page)
            _ranges[^1] = _ranges[^1] with { Count = _ranges[^1].Count + 1 };
        else
            _ranges.Add(new MemoryPageRange(page, 1));
    }

    internal bool Holds(MemoryPage page)
    {
        foreach (var range in Ranges)
        {
            if (range.Contains(page))
                return true;
        }

        return false;
    }
}
