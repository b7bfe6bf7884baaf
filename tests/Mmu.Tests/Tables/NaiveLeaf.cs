namespace Userfault.Mmu.Tests.Tables;

internal sealed record NaiveLeaf(ulong Start, PageLevel Level, ulong Pfn, Access Access)
{
    public bool WriteProtected { get; init; }

    public bool Dirty { get; init; }

    public bool Accessed { get; init; }

    public ulong End => Start + Level.Pages();
}
