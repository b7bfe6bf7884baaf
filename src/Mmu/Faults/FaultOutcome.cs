namespace Userfault.Mmu;

/// <summary>The outcome of a fault, with the details that belong to it.</summary>
public readonly record struct FaultOutcome
{
    /// <summary>The kind of outcome.</summary>
    public FaultKind Kind { get; init; }

    /// <summary>For a memory-fault exit: <c>kvm_run.memory_fault.flags</c>.</summary>
    public MemoryFaultFlags Flags { get; init; }

    /// <summary>For mapped and spurious: the size of the leaf.</summary>
    public PageLevel Level { get; init; }

    /// <summary>The page that was accessed.</summary>
    public Gfn Gfn { get; init; }

    /// <summary>For mapped: the host frame behind <see cref="Gfn"/>.</summary>
    public Pfn Pfn { get; init; }

    /// <summary>For blocked and poisoned: the host address of the page.</summary>
    public Hva Hva { get; init; }

    /// <summary>For a memory-fault exit: <c>kvm_run.memory_fault.gpa</c>, page aligned.</summary>
    public Gpa Gpa => Gfn.ToGpa();

    /// <summary>For a memory-fault exit: <c>kvm_run.memory_fault.size</c> in bytes; always one page.</summary>
    public ulong SizeBytes => Kind == FaultKind.MemoryFaultExit ? Page.Size : 0UL;

    /// <summary>Must user space fetch the page and clear its bit before the access can be made?</summary>
    public bool IsUserfaultExit => (Flags & MemoryFaultFlags.Userfault) != 0;

    /// <summary>Frames whose cached translations are now stale; empty if there are none.</summary>
    public GfnRange Flush { get; init; }

    /// <summary>
    /// The result of KVM_RUN: EFAULT (EHWPOISON for a poisoned private page), EINTR, or none.
    /// </summary>
    public Errno Errno { get; init; }

    internal static FaultOutcome Of(FaultKind kind, Gfn gfn, Errno errno = Errno.None) =>
        new()
        {
            Kind = kind,
            Gfn = gfn,
            Errno = errno,
        };

    internal static FaultOutcome Exit(in VcpuAccess access, MemoryFaultFlags flags, Errno errno = Errno.EFAULT) =>
        new()
        {
            Kind = FaultKind.MemoryFaultExit,
            Errno = errno,
            Gfn = access.Gfn,
            Flags = flags | (access.IsPrivate ? MemoryFaultFlags.Private : MemoryFaultFlags.None),
        };
}
