namespace Userfault.Fetch;

/// <summary>What an engine has done so far. Pages unless named otherwise.</summary>
/// <param name="DemandPages">Pages requested on demand.</param>
/// <param name="BackgroundPages">Pages asked for ahead of need.</param>
/// <param name="Requests">Requests sent to sources, hedges and retries among them.</param>
/// <param name="Delivered">Pages handed on.</param>
/// <param name="Zero">Of these, pages that travelled as a zero marker.</param>
/// <param name="Duplicates">Of these, pages that travelled as a duplicate marker.</param>
/// <param name="Promoted">Background pages that became demand before they were asked for.</param>
/// <param name="Awaited">Background pages that became demand while they were on their way.</param>
/// <param name="Merged">Pages wanted again while they were on their way.</param>
/// <param name="Hedged">Pages asked of a second source since the first was slow.</param>
/// <param name="Retried">Pages asked for again after a failure or a timeout.</param>
/// <param name="Late">Pages that arrived after a hedge or a retry had already brought them.</param>
/// <param name="Bad">Pages that were not asked for, or came in a wrong form.</param>
public readonly record struct FetchCounters(
    long DemandPages,
    long BackgroundPages,
    long Requests,
    long Delivered,
    long Zero,
    long Duplicates,
    long Promoted,
    long Awaited,
    long Merged,
    long Hedged,
    long Retried,
    long Late,
    long Bad
)
{
    /// <summary>The sum of two engines' work.</summary>
    public static FetchCounters operator +(FetchCounters a, FetchCounters b) =>
        new(
            a.DemandPages + b.DemandPages,
            a.BackgroundPages + b.BackgroundPages,
            a.Requests + b.Requests,
            a.Delivered + b.Delivered,
            a.Zero + b.Zero,
            a.Duplicates + b.Duplicates,
            a.Promoted + b.Promoted,
            a.Awaited + b.Awaited,
            a.Merged + b.Merged,
            a.Hedged + b.Hedged,
            a.Retried + b.Retried,
            a.Late + b.Late,
            a.Bad + b.Bad
        );

    /// <summary>The sum of two engines' work.</summary>
    public static FetchCounters Add(FetchCounters left, FetchCounters right) => left + right;
}
