using Userfault.Mmu;

namespace Userfault.Linux;

/// <summary>The calls by which memory regions are set, of a real VM or of one that a test makes up.</summary>
internal interface IMemoryRegionCalls
{
    /// <summary>
    /// KVM_SET_USER_MEMORY_REGION, which every kernel has: flags LOG_DIRTY_PAGES and READONLY alone, and neither
    /// guest_memfd nor bitmap.
    /// </summary>
    /// <returns>None, or the error.</returns>
    LinuxErrno SetUserMemoryRegion(in UserspaceMemoryRegion2 region);

    /// <summary>KVM_SET_USER_MEMORY_REGION2, since Linux 6.8.</summary>
    /// <returns>None, or the error.</returns>
    LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region);
}
