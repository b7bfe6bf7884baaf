namespace Userfault.Mmu;

/// <summary>Range operations for flushes.</summary>
public static class GfnRangeExtensions
{
    /// <summary>The smallest range that contains both; an empty one adds nothing.</summary>
    public static GfnRange Cover(this GfnRange left, GfnRange right)
    {
        if (left.IsEmpty)
            return right;
        if (right.IsEmpty)
            return left;
        var start = left.Start < right.Start ? left.Start : right.Start;
        var end = left.End > right.End ? left.End : right.End;
        return GfnRange.Between(start, end);
    }
}
