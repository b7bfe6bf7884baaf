using System.Runtime.InteropServices;
using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>A request to a source that has not ended. Instances are reused; the engine owns them.</summary>
public sealed class SourceRequest
{
    /// <summary>
    /// <see cref="WaitedSinceNs"/> of a request without demand pages, or whose demand pages are already hedged.
    /// </summary>
    internal const long NobodyWaits = long.MaxValue;

    private readonly List<MemoryPageRange> _ranges = new(8);

    /// <summary>The id, which the source repeats in its answers.</summary>
    public ulong Id { get; private set; }

    /// <summary>The source that it was sent to.</summary>
    public int Source { get; private set; }

    /// <summary>Demand or background.</summary>
    public FetchPriority Priority { get; private set; }

    /// <summary>When it was sent, in ns.</summary>
    public long SentNs { get; private set; }

    /// <summary>Is it a second request for pages that another request covers?</summary>
    public bool IsHedge { get; private set; }

    /// <summary>The pages, in the order wanted. Valid until the engine takes its next event.</summary>
    public ReadOnlySpan<MemoryPageRange> Ranges => CollectionsMarshal.AsSpan(_ranges);

    /// <summary>Number of pages requested.</summary>
    public int Pages { get; private set; }

    /// <summary>Number of pages still wanted from this request.</summary>
    internal int Wanted { get; set; }

    /// <summary>Since when a vCPU has waited for a page of this request that is not hedged, in ns.</summary>
    internal long WaitedSinceNs { get; set; }

    /// <summary>Has its answer already been counted as wrong?</summary>
    internal bool WasBad { get; set; }

    internal void Reset(ulong id, int source, FetchPriority priority, long sentNs, bool isHedge)
    {
        (Id, Source, Priority, SentNs, IsHedge) = (id, source, priority, sentNs, isHedge);
        WaitedSinceNs = isHedge || priority == FetchPriority.Background ? NobodyWaits : sentNs;
        (Pages, Wanted, WasBad) = (0, 0, false);
        _ranges.Clear();
    }

    /// <summary>Adds a page; adjacent pages form one range.</summary>
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
