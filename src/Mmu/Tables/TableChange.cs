namespace Userfault.Mmu;

/// <summary>What an operation on one entry did.</summary>
public enum TableChange
{
    /// <summary>Nothing: the table already said so (a spurious fault), or there was nothing to do.</summary>
    None,

    /// <summary>An empty entry became a leaf. No flush: what is not present is not cached.</summary>
    Installed,

    /// <summary>
    /// A leaf got more permissions. No flush: a TLB that denies an access walks again before it faults.
    /// </summary>
    Relaxed,

    /// <summary>One translation took the place of another.</summary>
    Replaced,

    /// <summary>
    /// arm64's break: the old translation is gone, the new one is not there yet. Flush, then call again with the same
    /// arguments to make it. Until then the owner lets no fault in the flushed range through.
    /// </summary>
    Broken,
}
