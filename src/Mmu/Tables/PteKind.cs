namespace Userfault.Mmu;

/// <summary>What a second-stage entry is. A closed set: every 64-bit value of every format is one of these.</summary>
public enum PteKind
{
    /// <summary>Nothing is mapped.</summary>
    Empty,

    /// <summary>The entry holds the address of the next level's table.</summary>
    Table,

    /// <summary>The entry maps a page, a large page or a block.</summary>
    Leaf,

    /// <summary>
    /// A leaf that hardware no longer sees, because it is between break and make: the entry is not valid, its other
    /// bits still say what was mapped. Only formats with <see cref="IPteFormat.NeedsBreakBeforeMake"/> have it.
    /// </summary>
    Broken,
}
