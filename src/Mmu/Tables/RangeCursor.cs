namespace Userfault.Mmu;

/// <summary>
/// The position of a batched operation. The owner keeps it between batches: everything before <see cref="Next"/> is
/// done, and changes to the table in between do not invalidate it, because it holds a gfn and no pointer.
/// </summary>
/// <param name="range">The frames to process.</param>
public struct RangeCursor(GfnRange range)
{
    /// <summary>The first frame that is not done yet.</summary>
    public Gfn Next { get; internal set; } = range.Start;

    /// <summary>The frame after the last.</summary>
    public Gfn End { get; } = range.End;

    /// <summary>Is the whole range done?</summary>
    public readonly bool IsDone => Next >= End;
}
