namespace Userfault.Mmu;

/// <summary>What one bounded batch over a range did.</summary>
/// <param name="Leaves">Leaves that were changed (zapped, split, write-protected, ...).</param>
/// <param name="Flush">The smallest range that holds every frame whose cached translation is stale now.</param>
public readonly record struct BatchResult(long Leaves, GfnRange Flush)
{
    /// <summary>Must TLBs be flushed? With break-before-make, before the next batch of a split or a collapse.</summary>
    public bool NeedsFlush => !Flush.IsEmpty;
}
