namespace Userfault.Mmu;

/// <summary>Options of a table, apart from its format.</summary>
public sealed record TableOptions
{
    /// <summary>
    /// The readers of the table; null creates a separate set. The tables of a VM share one.
    /// </summary>
    public TableReaders? Readers { get; init; }

    /// <summary>
    /// Fills freed table pages with entries that map a frame which no guest has (the kernel's <c>page_poison</c>), so
    /// that a reader which uses one is detected, and checks on reuse that the page was not written to. Costs two passes
    /// over 4 KiB per page, and keeps the memory of freed pages.
    /// </summary>
    public bool PoisonFreedPages { get; init; }
}
