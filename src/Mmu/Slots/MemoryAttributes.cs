namespace Userfault.Mmu;

/// <summary>
/// The private guest frames (<c>KVM_MEMORY_ATTRIBUTE_PRIVATE</c>): a VM-wide property, independent of the slots.
/// Immutable: a change creates a new instance, so that holders need no lock.
/// </summary>
public sealed class MemoryAttributes
{
    /// <summary>The uAPI's attribute bit for private.</summary>
    public const ulong PrivateBit = 1 << 3;

    // Sorted, neither overlapping nor adjacent. Few in practice: guests convert memory in large runs.
    private readonly GfnRange[] _private;

    private MemoryAttributes(GfnRange[] ranges) => _private = ranges;

    /// <summary>All memory is shared.</summary>
    public static MemoryAttributes AllShared { get; } = new([]);

    /// <summary>The private runs, by gfn.</summary>
    public ReadOnlySpan<GfnRange> PrivateRanges => _private;

    /// <summary>Is the page private? O(log n).</summary>
    public bool IsPrivate(Gfn gfn)
    {
        var ranges = _private;
        if (ranges.Length == 0)
            return false;
        var index = FirstEndingAfter(gfn);
        return index < ranges.Length && ranges[index].Contains(gfn);
    }

    /// <summary>Are all pages of a range private, or all of them shared? Only then can one leaf map them.</summary>
    public bool IsUniform(GfnRange range)
    {
        var ranges = _private;
        if (ranges.Length == 0 || range.IsEmpty)
            return true;
        var index = FirstEndingAfter(range.Start);
        if (index == ranges.Length || !ranges[index].Overlaps(range))
            return true;
        return ranges[index].Start <= range.Start && ranges[index].End >= range.End;
    }

    /// <summary>
    /// The attributes with all pages of a range private, or all shared. This instance does not change.
    /// </summary>
    public MemoryAttributes With(GfnRange range, bool isPrivate)
    {
        if (range.IsEmpty)
            return this;
        // Only the runs that the range overlaps or touches change; the others are copied as they are.
        var first = FirstEndingAtOrAfter(range.Start);
        var behind = first;
        while (behind < _private.Length && _private[behind].Start <= range.End)
            behind++;
        ReadOnlySpan<GfnRange> met = _private.AsSpan(first..behind);
        var changed = isPrivate ? [Joined(met, range)] : Cut(met, range);
        return new MemoryAttributes([.. _private.AsSpan(..first), .. changed, .. _private.AsSpan(behind..)]);
    }

    private static GfnRange Joined(ReadOnlySpan<GfnRange> met, GfnRange range)
    {
        if (met.IsEmpty)
            return range;
        var start = met[0].Start < range.Start ? met[0].Start : range.Start;
        var end = met[^1].End > range.End ? met[^1].End : range.End;
        return GfnRange.Between(start, end);
    }

    private static List<GfnRange> Cut(ReadOnlySpan<GfnRange> met, GfnRange range)
    {
        var left = new List<GfnRange>();
        foreach (var old in met)
        {
            if (old.Start < range.Start)
                left.Add(GfnRange.Between(old.Start, old.End < range.Start ? old.End : range.Start));
            if (old.End > range.End)
                left.Add(GfnRange.Between(old.Start > range.End ? old.Start : range.End, old.End));
        }

        return left;
    }

    private int FirstEndingAtOrAfter(Gfn gfn)
    {
        // Runs neither overlap nor touch: of those that end after the frame, at most one more ends at it.
        var index = FirstEndingAfter(gfn);
        return index > 0 && _private[index - 1].End == gfn ? index - 1 : index;
    }

    private int FirstEndingAfter(Gfn gfn)
    {
        var low = 0;
        var high = _private.Length;
        while (low < high)
        {
            var middle = (int)((uint)(low + high) / 2);
            if (_private[middle].End <= gfn)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
