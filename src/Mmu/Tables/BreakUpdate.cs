namespace Userfault.Mmu;

// Break, before another make.
internal readonly struct BreakUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.Break(pte);
}
