namespace Userfault.Linux;

/// <summary>Why KVM_RUN returned. A closed set.</summary>
public enum KvmExitKind
{
    /// <summary>The guest reported that its batch is done.</summary>
    BatchDone,

    /// <summary>EINTR: kicked, or another signal came.</summary>
    Interrupted,

    /// <summary>KVM_EXIT_MMIO: no memory region is there. Answered through <see cref="KvmVcpu.AnswerMmio"/>.</summary>
    Mmio,

    /// <summary>EFAULT with KVM_EXIT_MEMORY_FAULT: address and flags say what and why.</summary>
    MemoryFault,

    /// <summary>Anything else: the guest cannot go on. The text says what it was.</summary>
    Unexpected,
}
