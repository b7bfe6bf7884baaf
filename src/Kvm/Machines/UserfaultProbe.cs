using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// Does this kernel support KVM_MEM_USERFAULT? Probed with the flag itself, on an unused VM: the capability numbers of
/// unmerged series are later assigned to other features, whereas an unknown flag is EINVAL.
/// </summary>
/// <remarks>
/// A flag with the same value but another meaning must not be mistaken for it. The flag is therefore first tried with a
/// bitmap outside of user space, which a kernel that interprets the field as an address must reject (a stock kernel
/// rejects it as well, because of the flag), and then with a valid one, which only KVM Userfault accepts.
/// </remarks>
internal static class UserfaultProbe
{
    private const uint ProbedSlot = 0;
    private const ulong NoUserAddress = 0xffff_8000_0000_0000;

    /// <summary>Probes. The slot used for it is deleted again.</summary>
    /// <param name="vm">A VM without memory regions.</param>
    /// <param name="memory">Host address of at least one page that can be guest memory, page aligned.</param>
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
