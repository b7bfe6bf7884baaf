namespace Userfault.Mmu;

/// <summary>One access of a vCPU, as the hardware reports it when its walk finds no permission.</summary>
/// <param name="Gfn">The frame accessed.</param>
/// <param name="Kind">Exactly one of read, write and execute.</param>
/// <param name="IsPrivate">Does the guest access the page as private memory?</param>
/// <param name="IsTableWalk">Is it the hardware reading the guest's own page tables (arm64: a stage-1 walk)?</param>
public readonly record struct VcpuAccess(Gfn Gfn, Access Kind, bool IsPrivate = false, bool IsTableWalk = false)
{
    /// <summary>Is it a write?</summary>
    public bool IsWrite => (Kind & Access.Write) != 0;

    /// <summary>Is it an instruction fetch?</summary>
    public bool IsFetch => (Kind & Access.Execute) != 0;
}
