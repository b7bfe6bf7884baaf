namespace Userfault.Linux;

/// <summary>Why KVM_RUN returned. A closed set.</summary>
internal enum KvmExitKind
{
    /// <summary>KVM_EXIT_IO: the guest read or wrote a port.</summary>
    Io,

    /// <summary>EINTR: kicked, or another signal came.</summary>
    Interrupted,

    /// <summary>KVM_EXIT_MMIO: no memory region is there. Answered through <see cref="KvmVcpu.AnswerMmio"/>.</summary>
    Mmio,

    /// <summary>EFAULT with KVM_EXIT_MEMORY_FAULT: address and flags say what and why.</summary>
    MemoryFault,

    /// <summary>Anything else: the guest cannot go on. The text says what it was.</summary>
    Unexpected,
}
