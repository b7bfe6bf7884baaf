namespace Userfault.Mmu;

/// <summary>The result of one access of a vCPU, and of KVM_RUN if the access left the guest for good.</summary>
/// <param name="IsCompleted">Was the access made?</param>
/// <param name="Leaf">The leaf through which it was made.</param>
/// <param name="Fault">The last fault of the access; <see cref="FaultKind.None"/> if the walk permitted it at
/// once.</param>
/// <param name="Faults">Number of faults handled for it.</param>
public readonly record struct AccessResult(bool IsCompleted, WalkResult Leaf, FaultOutcome Fault, int Faults)
{
    /// <summary>KVM_EXIT_MMIO.</summary>
    public const uint MmioExit = 6;

    /// <summary>KVM_EXIT_MEMORY_FAULT.</summary>
    public const uint MemoryFaultExit = 39;

    /// <summary>The errno of KVM_RUN.</summary>
    public Errno Errno => IsCompleted ? Errno.None : Fault.Errno;

    /// <summary><c>kvm_run.exit_reason</c>; 0 if no exit was prepared.</summary>
    public uint ExitReason =>
        IsCompleted
            ? 0
            : Fault.Kind switch
            {
                FaultKind.Mmio => MmioExit,
                FaultKind.MemoryFaultExit => MemoryFaultExit,
                _ => 0,
            };

    /// <summary>Did the access exit because the page's bit in the userfault bitmap is set?</summary>
    public bool IsUserfaultExit => !IsCompleted && Fault.IsUserfaultExit;
}
