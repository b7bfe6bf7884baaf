namespace Userfault.Pages;

/// <summary>
/// A run of neighbouring pages of a working set that were wanted equally often, one after another. One recording is one
/// run of one guest.
/// </summary>
/// <param name="Pages">The pages.</param>
/// <param name="Rank">How many pages a guest touched before the first of them, averaged by weight over the recordings
/// that hold it; one more for each page behind it.</param>
/// <param name="Weight">How often each was wanted, with aging; <see cref="One"/> for a recording of now.</param>
/// <param name="Times">In how many recordings each was wanted; at least 1.</param>
/// <param name="Age">How many recordings were merged since the last one in which they were wanted.</param>
public readonly record struct WorkingSetEntry(MemoryPageRange Pages, ulong Rank, ulong Weight, uint Times, uint Age)
{
    /// <summary>The weight of a page that one recording holds, before any aging.</summary>
    public const ulong One = 1 << 16;

    /// <summary>A part of it, with its own rank.</summary>
    /// <param name="from">Pages in front of the part.</param>
    /// <param name="count">Pages of the part.</param>
    public WorkingSetEntry Part(ulong from, ulong count) =>
        this with
        {
            Pages = new MemoryPageRange(Pages.Start.Plus(from), count),
            Rank = Rank + from,
        };

    /// <summary>Does <paramref name="next"/> go on where this one ends, in every respect?</summary>
    public bool GoesOnWith(in WorkingSetEntry next) =>
        Pages.End == next.Pages.Start
        && Rank + Pages.Count == next.Rank
        && (Weight, Times, Age) == (next.Weight, next.Times, next.Age);
}
