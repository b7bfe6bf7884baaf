using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests;

/// <summary>A request as the engine made it.</summary>
internal sealed record Asked(ulong Id, int Source, FetchPriority Priority, bool IsHedge, IReadOnlyList<GfnRange> Ranges)
{
    /// <summary>The pages, in the order wanted.</summary>
    public ulong[] Pages { get; } = [.. Ranges.SelectMany(static r => Enumerable.Range(0, (int)r.Count).Select(i => r.Start.Value + (ulong)i))];
}
