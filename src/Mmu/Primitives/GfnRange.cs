namespace Userfault.Mmu;

/// <summary>A run of guest frames, half open: [<see cref="Start"/>, <see cref="End"/>).</summary>
/// <param name="Start">First frame.</param>
/// <param name="Count">Number of frames; 0 is the empty range.</param>
public readonly record struct GfnRange(Gfn Start, ulong Count)
{
    /// <summary>The frame after the last; wraps if the range touches 2^64.</summary>
    public Gfn End => Start.Plus(Count);

    /// <summary>Is the range empty?</summary>
    public bool IsEmpty => Count == 0;

    /// <summary>The range between two frames.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="end"/> precedes
    /// <paramref name="start"/>.</exception>
    public static GfnRange Between(Gfn start, Gfn end)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(end.Value, start.Value, nameof(end));
        return new GfnRange(start, end.Value - start.Value);
    }

    /// <summary>Does <paramref name="gfn"/> lie in the range?</summary>
    public bool Contains(Gfn gfn) => gfn.Value - Start.Value < Count;

    /// <summary>Do the two ranges share a frame?</summary>
    public bool Overlaps(GfnRange other) =>
        !IsEmpty && !other.IsEmpty && (other.Contains(Start) || Contains(other.Start));

    /// <summary>The frames in both ranges; empty at <see cref="Start"/> if there are none.</summary>
    public GfnRange Intersect(GfnRange other)
    {
        var start = Math.Max(Start.Value, other.Start.Value);
        var end = Math.Min(End.Value, other.End.Value);
        return start < end ? new GfnRange(new Gfn(start), end - start) : new GfnRange(Start, 0);
    }

    /// <summary>The range in hex, half open.</summary>
    public override string ToString() => $"gfns [0x{Start.Value:x}, 0x{End.Value:x})";
}
