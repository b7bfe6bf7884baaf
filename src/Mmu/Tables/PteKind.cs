namespace Userfault.Mmu;

/// <summary>
/// The kind of a second-stage entry. A closed set: every 64-bit value of every format is one of these.
/// </summary>
public enum PteKind
{
    /// <summary>Nothing is mapped.</summary>
    Empty,

    /// <summary>The entry holds the address of the next level's table.</summary>
    Table,

    /// <summary>The entry maps a page, a large page or a block.</summary>
    Leaf,

    /// <summary>
    /// A leaf that hardware no longer sees, because it is between break and make: the entry is invalid, and its other
    /// bits still hold the mapping. Only formats with <see cref="IPteFormat.NeedsBreakBeforeMake"/> have it.
    /// </summary>
    Broken,
}
