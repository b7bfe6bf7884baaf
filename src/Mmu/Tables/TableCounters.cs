namespace Userfault.Mmu;

/// <summary>
/// The contents of a table (KVM's <c>pages_4k</c>, <c>pages_2m</c>, <c>pages_1g</c> statistics, and its memory).
/// </summary>
/// <param name="Leaves4K">Leaves that map 4 KiB.</param>
/// <param name="Leaves2M">Leaves that map 2 MiB.</param>
/// <param name="Leaves1G">Leaves that map 1 GiB.</param>
/// <param name="TablePages">4 KiB table pages in use, including the root's.</param>
/// <param name="RetiredPages">Table pages that wait for readers before they can be reused.</param>
/// <param name="ReservedBytes">Native memory allocated from the system, used or not, in bytes.</param>
public readonly record struct TableCounters(
    long Leaves4K,
    long Leaves2M,
    long Leaves1G,
    long TablePages,
    long RetiredPages,
    long ReservedBytes
)
{
    /// <summary>Bytes of the table pages in use.</summary>
    public long TableBytes => TablePages << Page.Shift;

    /// <summary>Guest memory that is mapped, in 4 KiB pages.</summary>
    public long MappedPages =>
        Leaves4K + (Leaves2M << PageLevel.Size2M.PagesShift()) + (Leaves1G << PageLevel.Size1G.PagesShift());
}
