using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>A batch of pages as a <see cref="RecordingSink"/> was given it.</summary>
/// <param name="Id">The request that it answers.</param>
/// <param name="IsLast">The request is over with it.</param>
/// <param name="CompletedNs">When the source completed it.</param>
/// <param name="Gfns">Its pages, in order.</param>
/// <param name="Kinds">In which form each travelled.</param>
/// <param name="Pages">The content of each, where the sink keeps that; else empty.</param>
internal sealed record RecordedBatch(
    ulong Id,
    bool IsLast,
    long CompletedNs,
    ulong[] Gfns,
    PageContentKind[] Kinds,
    byte[][] Pages
);
