namespace Userfault.Mmu;

// A change of a leaf's bits that keeps it a leaf of the same frame. Pure: it is applied again after a race with a vCPU.
internal interface ILeafUpdate
{
    ulong Apply(ulong pte);
}
