namespace Userfault.Mmu;

/// <summary>
/// Where a batched operation stands. The owner keeps it between batches: what lies before <see cref="Next"/> is done,
/// and changes made to the table meanwhile do not confuse it, because it holds a gfn and no pointer.
/// </summary>
/// <param name="range">The frames to go over.</param>
public struct RangeCursor(GfnRange range)
{
    /// <summary>The first frame that is not done yet.</summary>
    public Gfn Next { get; internal set; } = range.Start;

    /// <summary>The frame behind the last.</summary>
    public Gfn End { get; } = range.End;

    /// <summary>Is the whole range done?</summary>
    public readonly bool IsDone => Next >= End;
}
