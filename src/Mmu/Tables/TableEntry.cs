namespace Userfault.Mmu;

// One entry as read by the writer or a visitor.
internal readonly unsafe ref struct TableEntry(ulong* table, ulong* pointer, ulong pte, PageLevel level, ulong start)
{
    // The table page that contains it (for the root: the first of the concatenated pages).
    public readonly ulong* Table = table;

    public readonly ulong* Pointer = pointer;

    // The value of the entry when it was read.
    public readonly ulong Pte = pte;

    public readonly PageLevel Level = level;

    // First gfn that it covers.
    public readonly ulong Start = start;

    public ulong End => Start + Level.Pages();

    public GfnRange Range => new(new Gfn(Start), Level.Pages());
}
