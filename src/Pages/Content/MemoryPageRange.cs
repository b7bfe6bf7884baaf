namespace Userfault.Pages;

/// <summary>A run of pages of guest memory, half open: [<see cref="Start"/>, <see cref="End"/>).</summary>
/// <param name="Start">First page.</param>
/// <param name="Count">How many pages; 0 is the empty range.</param>
public readonly record struct MemoryPageRange(MemoryPage Start, ulong Count)
{
    /// <summary>The page behind the last; wraps where the range touches 2^64.</summary>
    public MemoryPage End => Start.Plus(Count);

    /// <summary>Has the range no pages?</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>The range between two pages.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="end"/> lies before
    /// <paramref name="start"/>.</exception>
    public static MemoryPageRange Between(MemoryPage start, MemoryPage end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end.Value, start.Value, nameof(end));
        return new MemoryPageRange(start, end.Value - start.Value);
    }

    /// <summary>Does <paramref name="page"/> lie in the range?</summary>
    public bool Contains(MemoryPage page) => page.Value - Start.Value < Count;

    /// <summary>Do the two ranges share a page?</summary>
    public bool Overlaps(MemoryPageRange other) =>
        !IsEmpty && !other.IsEmpty && (other.Contains(Start) || Contains(other.Start));

    /// <summary>The pages in both ranges; empty at <see cref="Start"/> where there are none.</summary>
    public MemoryPageRange Intersect(MemoryPageRange other)
    {
        var start = Math.Max(Start.Value, other.Start.Value);
        var end = Math.Min(End.Value, other.End.Value);
        return start < end ? new MemoryPageRange(new MemoryPage(start), end - start) : new MemoryPageRange(Start, 0);
    }

    /// <summary>The range in hex, half open.</summary>
    public override string ToString() => $"pages [0x{Start.Value:x}, 0x{End.Value:x})";
}
