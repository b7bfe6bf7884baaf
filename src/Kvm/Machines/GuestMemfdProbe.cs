using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kvm;

/// <summary>
/// Does this kernel have a guest_memfd that the secret-free form could use: one that the monitor maps, that a handler
/// writes through its descriptor, and whose mapping a userfaultfd watches? Each feature is probed by using it, on a VM
/// created for the purpose; released kernels have at most the first of them.
/// </summary>
internal static unsafe class GuestMemfdProbe
{
    // GUEST_MEMFD_FLAG_MMAP and GUEST_MEMFD_FLAG_INIT_SHARED.
    private const ulong MayBeMapped = 1 << 0;
    private const ulong BeginsShared = 1 << 1;

    /// <summary>The missing feature, in one line; null if there is none.</summary>
    public static string? WhyNot()
    {
        if (KvmDevice.WhyMissing() is { } noKvm)
            return $"no KVM: {noKvm}";
        try
        {
            using var device = KvmDevice.Open();
            using var vm = device.CreateVm();
            return vm.Check(KvmCapability.GuestMemfd) <= 0
                ? "no guest_memfd in this kernel, or none for VMs of the default type"
                : WhyNot(vm);
        }
        catch (LinuxException e)
        {
            return e.Message;
        }
    }

    private static string? WhyNot(KvmVm vm)
    {
        OwnedFd memory;
        try
        {
            memory = vm.CreateGuestMemfd(Page.Size, MayBeMapped | BeginsShared);
        }
        catch (LinuxException e)
        {
            return $"this kernel's guest_memfd cannot be mapped by a monitor ({e.Error})";
        }
        using (memory)
        {
            var page = stackalloc byte[Page.Size];
            if (Libc.WriteAt(memory.Number, page, Page.Size, 0) != Page.Size)
                return $"this kernel's guest_memfd cannot be written by a handler ({Errors.Last})";
            using var mapping = MemoryMapping.Of(memory, Page.Size);
            using var uffd = Userfaultfd.Open(UffdFeatures.None);
            try
            {
                uffd.Register(mapping.Address, mapping.Bytes, UffdRegisterModes.Missing | UffdRegisterModes.Minor);
                return null;
            }
            catch (LinuxException e)
            {
                return $"this kernel's userfaultfd does not watch a guest_memfd ({e.Error})";
            }
        }
    }
}
