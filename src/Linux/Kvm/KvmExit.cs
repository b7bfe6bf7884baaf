namespace Userfault.Linux;

/// <summary>One return of KVM_RUN.</summary>
/// <param name="Kind">Why.</param>
/// <param name="Gpa">MMIO and memory faults: the guest-physical address.</param>
/// <param name="Flags">Memory faults: <c>kvm_run.memory_fault.flags</c>.</param>
/// <param name="IsWrite">MMIO: does the guest write?</param>
/// <param name="Bytes">MMIO: width in bytes, at most 8.</param>
/// <param name="Port">Port I/O: the port.</param>
/// <param name="Text">Unexpected exits: what it was, in one line.</param>
internal readonly record struct KvmExit(
    KvmExitKind Kind,
    ulong Gpa = 0,
    ulong Flags = 0,
    bool IsWrite = false,
    int Bytes = 0,
    ushort Port = 0,
    string? Text = null
)
{
    /// <summary>KVM_RUN's errno.</summary>
    public LinuxErrno Error { get; init; }

    /// <summary><c>kvm_run.exit_reason</c>.</summary>
    public uint Reason { get; init; }
}
