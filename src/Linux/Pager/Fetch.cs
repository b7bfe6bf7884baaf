using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Linux;

/// <summary>One request until its pages are here.</summary>
/// <param name="Ranges">Which pages, in the order wanted.</param>
/// <param name="Priority">Does somebody wait for them?</param>
/// <param name="IsClaimed">Does it hold the claim on them, or was it asked beside one that does?</param>
internal sealed record Fetch(GfnRange[] Ranges, FetchPriority Priority, bool IsClaimed)
{
    /// <summary>How many pages.</summary>
    public ulong Pages => Ranges.Aggregate(0UL, static (sum, range) => sum + range.Count);
}
