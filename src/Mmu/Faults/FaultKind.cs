namespace Userfault.Mmu;

/// <summary>The possible outcomes of a fault. A closed set.</summary>
public enum FaultKind
{
    /// <summary>No fault was handled.</summary>
    None,

    /// <summary>The access can be made now: a leaf was installed or relaxed (<c>RET_PF_FIXED</c>).</summary>
    Mapped,

    /// <summary>
    /// The leaf already permits the access: another fault installed it first (<c>RET_PF_SPURIOUS</c>).
    /// </summary>
    Spurious,

    /// <summary>State changed during the fault: repeat the access (<c>RET_PF_RETRY</c>).</summary>
    Retry,

    /// <summary>
    /// Break-before-make: the old translation was removed, and the new one waits until no TLB holds the old one. Flush
    /// <see cref="FaultOutcome.Flush"/>, report it with <see cref="MemslotCore.CompleteFlush"/>, and run the fault
    /// again.
    /// </summary>
    FlushFirst,

    /// <summary>No slot backs the gfn, or it must not be written: the access goes to user space as MMIO.</summary>
    Mmio,

    /// <summary>No slot backs the gfn, and it was no data access: the guest gets an abort (arm64).</summary>
    GuestAbort,

    /// <summary>KVM_EXIT_MEMORY_FAULT, in addition to EFAULT.</summary>
    MemoryFaultExit,

    /// <summary>EFAULT without a prepared exit.</summary>
    BareEfault,

    /// <summary>The host page is poisoned: SIGBUS (BUS_MCEERR_AR) for the vCPU's thread.</summary>
    Poisoned,

    /// <summary>A signal is pending: EINTR.</summary>
    SignalPending,

    /// <summary>The host page is missing, and the thread sleeps in userfaultfd until it is resolved.</summary>
    BlockedInUserfaultfd,
}
