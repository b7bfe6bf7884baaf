namespace Userfault.Mmu;

// Takes the write permission away.
internal readonly struct WriteProtectUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.WriteProtect(pte);
}
