namespace Userfault.Mmu;

/// <summary>Capability numbers that <see cref="Vm"/> knows (<c>KVM_CAP_*</c>), with the uAPI's values.</summary>
public static class VmCapability
{
    /// <summary>KVM_CAP_USER_MEMORY: the older memory region call.</summary>
    public const uint UserMemory = 3;

    /// <summary>KVM_CAP_NR_MEMSLOTS: number of slot ids.</summary>
    public const uint NrMemslots = 10;

    /// <summary>KVM_CAP_SYNC_MMU: mappings follow the host's.</summary>
    public const uint SyncMmu = 16;

    /// <summary>KVM_CAP_DESTROY_MEMORY_REGION_WORKS.</summary>
    public const uint DestroyMemoryRegionWorks = 21;

    /// <summary>KVM_CAP_JOIN_MEMORY_REGIONS_WORKS.</summary>
    public const uint JoinMemoryRegionsWorks = 30;

    /// <summary>KVM_CAP_ASYNC_PF: incompatible with userfault, reported as 0.</summary>
    public const uint AsyncPf = 59;

    /// <summary>KVM_CAP_READONLY_MEM.</summary>
    public const uint ReadonlyMem = 81;

    /// <summary>KVM_CAP_DISABLE_QUIRKS.</summary>
    public const uint DisableQuirks = 116;

    /// <summary>KVM_CAP_MULTI_ADDRESS_SPACE: number of address spaces; 0 if there is one.</summary>
    public const uint MultiAddressSpace = 118;

    /// <summary>KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2.</summary>
    public const uint ManualDirtyLogProtect2 = 168;

    /// <summary>KVM_CAP_ASYNC_PF_INT: incompatible with userfault, reported as 0.</summary>
    public const uint AsyncPfInt = 183;

    /// <summary>KVM_CAP_DISABLE_QUIRKS2.</summary>
    public const uint DisableQuirks2 = 213;

    /// <summary>KVM_CAP_USER_MEMORY2: the 160-byte memory region call.</summary>
    public const uint UserMemory2 = 231;

    /// <summary>KVM_CAP_MEMORY_FAULT_INFO.</summary>
    public const uint MemoryFaultInfo = 232;

    /// <summary>KVM_CAP_MEMORY_ATTRIBUTES: the attributes that pages can have.</summary>
    public const uint MemoryAttributes = 233;

    /// <summary>KVM_CAP_GUEST_MEMFD.</summary>
    public const uint GuestMemfd = 234;

    /// <summary>KVM_CAP_PRE_FAULT_MEMORY.</summary>
    public const uint PreFaultMemory = 236;

    /// <summary>KVM_X86_QUIRK_SLOT_ZAP_ALL, the quirk bit that <see cref="DisableQuirks2"/> takes.</summary>
    public const ulong QuirkSlotZapAll = 1 << 7;
}
