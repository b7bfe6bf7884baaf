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
        var ranges = new List<GfnRange>(_private.Length + 1);
        var start = range.Start;
        var end = range.End;
        foreach (var old in _private)
        {
            if (old.End < start || old.Start > end || (!isPrivate && (old.End == start || old.Start == end)))
            {
                ranges.Add(old);
                continue;
            }

            if (isPrivate)
            {
                start = old.Start < start ? old.Start : start;
                end = old.End > end ? old.End : end;
                continue;
            }

            if (old.Start < start)
                ranges.Add(GfnRange.Between(old.Start, start));
            if (old.End > end)
                ranges.Add(GfnRange.Between(end, old.End));
        }

        if (isPrivate)
            ranges.Add(GfnRange.Between(start, end));
        ranges.Sort(static (left, right) => left.Start.CompareTo(right.Start));
        return new MemoryAttributes([.. ranges]);
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
