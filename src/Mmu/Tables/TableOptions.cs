namespace Userfault.Mmu;

/// <summary>How a table is made, beyond its format.</summary>
public sealed record TableOptions
{
    /// <summary>
    /// The readers of the table; null gives the table readers of its own. The tables of a VM share theirs.
    /// </summary>
    public TableReaders? Readers { get; init; }

    /// <summary>
    /// Fill freed table pages with entries that map nothing anybody asked for (the kernel's <c>page_poison</c>), so
    /// that a reader which uses one shows; and check when such a page is used again that nobody wrote to it. Costs two
    /// passes over 4 KiB a page, and keeps the memory of freed pages.
    /// </summary>
    public bool PoisonFreedPages { get; init; }
}
