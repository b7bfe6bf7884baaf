namespace Userfault.Mmu;

// A change of a leaf's bits that leaves it a leaf of the same frame. Pure: it is applied again where a vCPU interferes.
internal interface ILeafUpdate
{
    ulong Apply(ulong pte);
}
