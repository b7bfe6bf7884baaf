namespace Userfault.Mmu;

// Adds permissions.
internal readonly struct RelaxUpdate<TFormat>(Access access) : ILeafUpdate
    where TFormat : struct, IPteFormat
{
    public ulong Apply(ulong pte) => TFormat.Relax(pte, access);
}
