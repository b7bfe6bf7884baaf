namespace Userfault.Mmu;

/// <summary>Flags of a memory region, with the uAPI's values (<c>KVM_MEM_*</c>).</summary>
[Flags]
public enum MemslotFlags : uint
{
    /// <summary>No flag.</summary>
    None = 0,

    /// <summary><c>KVM_MEM_LOG_DIRTY_PAGES</c>: writes are recorded in the slot's dirty bitmap.</summary>
    LogDirtyPages = 1 << 0,

    /// <summary><c>KVM_MEM_READONLY</c>: guest writes are MMIO.</summary>
    Readonly = 1 << 1,

    /// <summary><c>KVM_MEM_GUEST_MEMFD</c>: private pages come from a guest_memfd.</summary>
    GuestMemfd = 1 << 2,

    /// <summary>
    /// <c>KVM_MEM_USERFAULT</c>: a page whose bit is set in the userfault bitmap exits to user space.
    /// </summary>
    Userfault = 1 << 3,
}
