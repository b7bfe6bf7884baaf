using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>Pages as ranges.</summary>
public static class PageRuns
{
    /// <summary>The pages of a range, in ascending order.</summary>
    public static IEnumerable<Gfn> PagesOf(GfnRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
            yield return range.Start.Plus(i);
    }

    /// <summary>The pages as ranges, in the order given: neighbours that follow each other become one.</summary>
    public static IReadOnlyList<GfnRange> Of(IReadOnlyList<Gfn> pages)
    {
        var ranges = new List<GfnRange>(pages.Count);
        foreach (var gfn in pages)
        {
            if (ranges.Count > 0 && ranges[^1].End == gfn)
                ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            else
                ranges.Add(new GfnRange(gfn, 1));
        }

        return ranges;
    }
}
