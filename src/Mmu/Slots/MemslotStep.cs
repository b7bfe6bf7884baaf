namespace Userfault.Mmu;

/// <summary>The result of one bounded batch of a memslot's pending work.</summary>
/// <param name="IsDone">Is no work left?</param>
/// <param name="Leaves">Number of leaves changed.</param>
/// <param name="Flush">
/// The smallest range that contains every frame whose cached translation is now stale; empty if there are none. It must
/// be flushed before the requester is notified of completion.
/// </param>
public readonly record struct MemslotStep(bool IsDone, long Leaves, GfnRange Flush);
