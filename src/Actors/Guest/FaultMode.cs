namespace Userfault.Actors;

/// <summary>How user space gets to know of a vCPU's touch of a missing page.</summary>
public enum FaultMode
{
    /// <summary>KVM Userfault alone: the vCPU exits. Accesses by KVM itself are not caught.</summary>
    Userfault,

    /// <summary>
    /// userfaultfd alone: the vCPU's thread sleeps inside KVM until a reader of the descriptor has resolved.
    /// </summary>
    Userfaultfd,

    /// <summary>
    /// KVM Userfault for vCPUs, userfaultfd for KVM's own and the VMM's accesses: a complete post-copy.
    /// </summary>
    Both,
}
