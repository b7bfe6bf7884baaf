namespace Userfault.Mmu;

// The break, which precedes the make.
internal readonly struct BreakUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.Break(pte);
}
