using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// Does this kernel know KVM_MEM_USERFAULT? Asked by the flag itself, on a VM that nobody uses yet: capability numbers
/// of unmerged series are taken by others later, a flag that is not known is EINVAL.
/// </summary>
/// <remarks>
/// A flag of the same value but another meaning must not pass for it. So it is asked first with a bitmap that
/// lies outside of user space, which a kernel that takes the field for an address must refuse
/// (a stock kernel refuses it as well, for the flag), and then with a good one, which only KVM Userfault takes.
/// </remarks>
internal static class UserfaultProbe
{
    private const uint ProbedSlot = 0;
    private const ulong NoUserAddress = 0xffff_8000_0000_0000;

    /// <summary>Asks. The slot that is used for it is deleted again.</summary>
    /// <param name="vm">A VM without memory regions.</param>
    /// <param name="memory">Host address of at least one page that may be a guest's, page aligned.</param>
    /// <param name="bitmap">Host address of at least 8 readable bytes for its bitmap.</param>
    public static bool Finds(IMemoryRegionCalls vm, ulong memory, ulong bitmap)
    {
        ArgumentNullException.ThrowIfNull(vm);
        var isRefused =
            vm.SetUserMemoryRegion2(Region(memory, MemslotFlags.Userfault, NoUserAddress)) != LinuxErrno.None;
        if (!isRefused)
        {
            Delete(vm);
            return false;
        }

        var isTaken = vm.SetUserMemoryRegion2(Region(memory, MemslotFlags.Userfault, bitmap)) == LinuxErrno.None;
        if (isTaken)
            Delete(vm);
        return isTaken;
    }

    private static void Delete(IMemoryRegionCalls vm) =>
        vm.SetUserMemoryRegion2(new UserspaceMemoryRegion2 { Slot = ProbedSlot });

    private static UserspaceMemoryRegion2 Region(ulong memory, MemslotFlags flags, ulong bitmap) =>
        new()
        {
            Slot = ProbedSlot,
            Flags = (uint)flags,
            MemorySize = Page.Size,
            UserspaceAddress = memory,
            UserfaultBitmap = bitmap,
        };
}
