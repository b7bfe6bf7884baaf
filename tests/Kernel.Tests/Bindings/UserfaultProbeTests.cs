using Userfault.Kernel.Tests.Cases;
using Userfault.Kvm;
using Userfault.Linux;
using Userfault.Mmu;

namespace Userfault.Kernel.Tests.Bindings;

/// <summary>KVM_MEM_USERFAULT is found by what the flag does; this is what the real kernel answers.</summary>
[Collection(KernelCollection.Name)]
public class UserfaultProbeTests
{
    [KernelFact]
    public void The_real_kernel_answers_and_keeps_nothing()
    {
        KvmGuest.IsNeeded();
        using var device = KvmDevice.Open();
        using var vm = device.CreateVm();
        using var memory = MemoryMapping.Anonymously(2 * Page.Size);
        UserfaultProbe.Finds(vm, memory.Address, memory.Address + Page.Size);
        // Whatever it said, the VM is as it was: a region that overlaps the probed one can be made.
        Assert.Equal(LinuxErrno.None, vm.SetUserMemoryRegion(KvmGuest.Region(5, 0, memory.Address, Page.Size)));
    }
}
