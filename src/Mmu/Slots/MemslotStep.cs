namespace Userfault.Mmu;

/// <summary>What one bounded batch of a memslot's pending work did.</summary>
/// <param name="IsDone">Is no work left?</param>
/// <param name="Leaves">How many leaves it changed.</param>
/// <param name="Flush">
/// The smallest range that holds every frame whose cached translation is stale now; empty where none is. To be flushed
/// before whoever asked for the work is told that it is done.
/// </param>
public readonly record struct MemslotStep(bool IsDone, long Leaves, GfnRange Flush);
