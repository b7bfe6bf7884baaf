namespace Userfault.Fetch;

/// <summary>Counters of an engine since its start. In pages unless stated otherwise.</summary>
/// <param name="DemandPages">Pages requested on demand.</param>
/// <param name="BackgroundPages">Pages requested as background.</param>
/// <param name="Requests">Requests sent to sources, including hedges and retries.</param>
/// <param name="Delivered">Pages delivered to requesters.</param>
/// <param name="Zero">Delivered pages that were transferred as a zero marker.</param>
/// <param name="Duplicates">Delivered pages that were transferred as a duplicate marker.</param>
/// <param name="Promoted">Background pages that became demand while they were queued.</param>
/// <param name="Awaited">Background pages that became demand while they were in flight.</param>
/// <param name="Merged">Pages wanted again while they were queued or in flight.</param>
/// <param name="Hedged">Pages requested a second time by a hedge.</param>
/// <param name="Retried">Pages queued again after a failure or a timeout.</param>
/// <param name="Late">Pages that arrived after a hedge or a retry had already brought them.</param>
/// <param name="Bad">Pages that were never requested, or not in the request that they answered.</param>
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
