namespace Userfault.Mmu;

// Makes the next write detectable.
internal readonly struct ClearDirtyUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.ClearDirty(pte);
}
