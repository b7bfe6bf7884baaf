namespace Userfault.Mmu;

/// <summary>The result of one bounded batch over a range.</summary>
/// <param name="Leaves">Leaves that were changed (zapped, split, write-protected, ...).</param>
/// <param name="Flush">The smallest range that contains every frame whose cached translation is now stale.</param>
public readonly record struct BatchResult(long Leaves, GfnRange Flush)
{
    /// <summary>Must TLBs be flushed? With break-before-make, before the next batch of a split or a collapse.</summary>
    public bool NeedsFlush => !Flush.IsEmpty;
}
