using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Linux;

/// <summary>One request until its pages are here.</summary>
/// <param name="Range">Which pages.</param>
/// <param name="From">The page of these that is wanted first.</param>
/// <param name="Priority">Does somebody wait for them?</param>
/// <param name="IsClaimed">Does it hold the claim on them, or was it asked beside one that does?</param>
internal sealed record Fetch(GfnRange Range, Gfn From, FetchPriority Priority, bool IsClaimed);
