using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>Converts between pages and ranges.</summary>
public static class PageRuns
{
    /// <summary>The pages of a range, in ascending order.</summary>
    public static IEnumerable<MemoryPage> PagesOf(MemoryPageRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
            yield return range.Start.Plus(i);
    }

    /// <summary>The pages as ranges, in the order given: consecutive neighbours form one range.</summary>
    public static IReadOnlyList<MemoryPageRange> Of(IReadOnlyList<MemoryPage> pages)
    {
        var ranges = new List<MemoryPageRange>(pages.Count);
        foreach (var page in pages)
        {
            if (ranges.Count > 0 && ranges[^1].End == page)
                ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            else
                ranges.Add(new MemoryPageRange(page, 1));
        }

        return ranges;
    }
}
