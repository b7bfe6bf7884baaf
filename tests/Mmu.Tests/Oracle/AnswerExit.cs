namespace Userfault.Mmu.Tests.Oracle;

/// <summary>How a KVM_RUN ended, apart from its errno.</summary>
public enum AnswerExit
{
    /// <summary>The instruction completed without leaving for user space.</summary>
    None,

    /// <summary>KVM_EXIT_MMIO; user space answered it and the instruction completed.</summary>
    Mmio,

    /// <summary>KVM_EXIT_MEMORY_FAULT beside EFAULT.</summary>
    MemoryFault,

    /// <summary>Anything else: the guest is broken, which is a defect of the harness.</summary>
    Unexpected,
}
