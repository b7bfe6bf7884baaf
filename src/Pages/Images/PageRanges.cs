using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Turns runs of guest physical bytes into the pages that hold them: where a guest has memory at all.
/// </summary>
internal static class PageRanges
{
    /// <summary>
    /// Ascending, apart from each other. A run need not begin or end on a page: the pages that it touches belong to it,
    /// each to one range.
    /// </summary>
    public static IReadOnlyList<MemoryPageRange> Of(IEnumerable<(ulong Start, ulong End)> runs)
    {
        var ranges = new List<MemoryPageRange>();
        foreach (var (start, end) in runs.OrderBy(static run => run.Start))
        {
            var first = start >> Page.Shift;
            var behind = (end + Page.OffsetMask) >> Page.Shift;
            if (ranges.Count > 0 && first <= ranges[^1].End.Value)
            {
                var last = new MemoryPage(Math.Max(behind, ranges[^1].End.Value));
                ranges[^1] = MemoryPageRange.Between(ranges[^1].Start, last);
            }
            else if (behind > first)
            {
                ranges.Add(MemoryPageRange.Between(new MemoryPage(first), new MemoryPage(behind)));
            }
        }
        return ranges;
    }
}
