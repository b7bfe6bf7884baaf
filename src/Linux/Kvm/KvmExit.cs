namespace Userfault.Linux;

/// <summary>One return of KVM_RUN.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Gpa">MMIO and memory faults: the guest-physical address.</param>
/// <param name="Flags">Memory faults: <c>kvm_run.memory_fault.flags</c>.</param>
/// <param name="IsWrite">MMIO: does the guest write?</param>
/// <param name="Bytes">MMIO: width in bytes, at most 8.</param>
/// <param name="Text">Unexpected exits: what it was, in one line.</param>
public readonly record struct KvmExit(
    KvmExitKind Kind,
    ulong Gpa = 0,
    ulong Flags = 0,
    bool IsWrite = false,
    int Bytes = 0,
    string? Text = null
);
