namespace Userfault.Linux;

/// <summary>
/// Capability numbers of released kernels (<c>KVM_CAP_*</c>). KVM Userfault's own is not among them: the numbers of
/// unmerged series collide with later ones, so that one is asked for by its flag (<c>Userfault.Kvm.UserfaultProbe</c>).
/// </summary>
internal enum KvmCapability : uint
{
    /// <summary>KVM_CAP_USER_MEMORY: memslots at all.</summary>
    UserMemory = 3,

    /// <summary>KVM_CAP_NR_VCPUS: vCPUs recommended.</summary>
    RecommendedVcpus = 9,

    /// <summary>KVM_CAP_NR_MEMSLOTS: user slots of an address space.</summary>
    Memslots = 10,

    /// <summary>KVM_CAP_MAX_VCPUS.</summary>
    MaxVcpus = 66,

    /// <summary>KVM_CAP_READONLY_MEM.</summary>
    ReadonlyMemory = 81,

    /// <summary>KVM_CAP_MULTI_ADDRESS_SPACE: address spaces; 0 means one.</summary>
    AddressSpaces = 118,

    /// <summary>KVM_CAP_IMMEDIATE_EXIT: <c>kvm_run.immediate_exit</c> is looked at.</summary>
    ImmediateExit = 136,

    /// <summary>KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2.</summary>
    ManualDirtyLogProtect = 168,

    /// <summary>KVM_CAP_DISABLE_QUIRKS2.</summary>
    DisableQuirks2 = 213,

    /// <summary>KVM_CAP_USER_MEMORY2: KVM_SET_USER_MEMORY_REGION2.</summary>
    UserMemory2 = 231,

    /// <summary>KVM_CAP_MEMORY_FAULT_INFO: KVM_EXIT_MEMORY_FAULT.</summary>
    MemoryFaultInfo = 232,

    /// <summary>KVM_CAP_MEMORY_ATTRIBUTES.</summary>
    MemoryAttributes = 233,

    /// <summary>KVM_CAP_GUEST_MEMFD.</summary>
    GuestMemfd = 234,

    /// <summary>KVM_CAP_PRE_FAULT_MEMORY.</summary>
    PreFaultMemory = 236,
}
