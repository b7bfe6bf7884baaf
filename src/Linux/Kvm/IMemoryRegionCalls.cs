using Userfault.Mmu;

namespace Userfault.Linux;

/// <summary>The call by which memory regions are set, of a real VM or of one that a test makes up.</summary>
internal interface IMemoryRegionCalls
{
    /// <summary>KVM_SET_USER_MEMORY_REGION2.</summary>
    /// <returns>None, or the error.</returns>
    LinuxErrno SetUserMemoryRegion2(in UserspaceMemoryRegion2 region);
}
