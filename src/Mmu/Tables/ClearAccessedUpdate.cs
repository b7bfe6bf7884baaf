namespace Userfault.Mmu;

// Makes the next use detectable.
internal readonly struct ClearAccessedUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.ClearAccessed(pte);
}
