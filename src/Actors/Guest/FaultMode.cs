namespace Userfault.Actors;

/// <summary>How user space learns that a vCPU accessed a missing page.</summary>
public enum FaultMode
{
    /// <summary>KVM Userfault alone: the vCPU exits. Accesses by KVM itself are not caught.</summary>
    Userfault,

    /// <summary>
    /// userfaultfd alone: the vCPU's thread sleeps inside KVM until a reader of the descriptor has resolved the fault.
    /// </summary>
    Userfaultfd,

    /// <summary>
    /// KVM Userfault for vCPUs, userfaultfd for accesses by KVM itself and by the VMM: complete post-copy.
    /// </summary>
    Both,
}
