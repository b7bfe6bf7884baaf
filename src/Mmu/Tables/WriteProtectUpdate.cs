namespace Userfault.Mmu;

// Removes the write permission.
internal readonly struct WriteProtectUpdate<TFormat> : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.WriteProtect(pte);
}
