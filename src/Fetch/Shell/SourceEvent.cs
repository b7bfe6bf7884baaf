using Userfault.Pages;

namespace Userfault.Fetch;

/// <summary>What comes from the sources' threads to the owner's of an engine: one of these things.</summary>
/// <param name="Kind">Which of them.</param>
/// <param name="Batch">Pages that have come.</param>
/// <param name="RequestId">A request that ended without (the rest of) its pages.</param>
/// <param name="Failure">Why it did.</param>
/// <param name="Source">A source that has come, or is gone.</param>
/// <param name="IsSpare">Is one that has come a spare?</param>
internal readonly record struct SourceEvent(
    SourceEvent.What Kind,
    PageBatch? Batch = null,
    ulong RequestId = 0,
    FetchFailure Failure = default,
    IPageSource? Source = null,
    bool IsSpare = false
)
{
    internal enum What : byte
    {
        Pages,
        Failed,
        Added,
        Removed,
    }
}
