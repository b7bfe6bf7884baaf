namespace Userfault.Mmu;

/// <summary>The effect of an operation on one entry.</summary>
public enum TableChange
{
    /// <summary>Nothing: the table already had this mapping (a spurious fault), or there was nothing to do.</summary>
    None,

    /// <summary>An empty entry became a leaf. No flush: absent translations are not cached.</summary>
    Installed,

    /// <summary>
    /// A leaf got more permissions. No flush: a TLB that denies an access walks again before it faults.
    /// </summary>
    Relaxed,

    /// <summary>One translation replaced another.</summary>
    Replaced,

    /// <summary>
    /// arm64's break: the old translation is removed, the new one is not in place yet. Flush, then call again with the
    /// same arguments to make it. Until then the owner holds back all faults in the flushed range.
    /// </summary>
    Broken,
}
