namespace Userfault.Mmu.Tests;

/// <summary>What was seen on a real 6.18 kernel: details that the checks' list alone does not tell.</summary>
public sealed class RealKernelTests
{
    [Fact]
    public void The_same_region_again_is_success_and_no_change()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        var generation = vm.Vm.Slots(0).Number;
        Assert.True(vm.Read(1).IsCompleted);
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region()));
        Assert.Equal(generation, vm.Vm.Slots(0).Number);
        Assert.True(vm.Leaf(1).IsPresent);
    }

    [Fact]
    public void A_delete_goes_through_the_checks_that_come_first()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        var delete = vm.Region() with { MemorySize = 0 };
        Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(delete with { Flags = 1 << 7 }));
        Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(delete with { GuestPhysicalAddress = 8 }));
        Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(delete with { UserspaceAddress = 8 }));
        Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(delete with { UserspaceAddress = 1UL << 50 }));
        Assert.True(vm.Read(1).IsCompleted);
        // Where it is all in order nothing but the id counts.
        Assert.Equal(
            Errno.None,
            vm.Vm.SetUserMemoryRegion2(delete with { Flags = 2, GuestPhysicalAddress = 0, UserspaceAddress = 0 })
        );
        Assert.Null(vm.Vm.FindSlot(TestVm.Slot));
    }

    [Fact]
    public void A_host_range_that_is_not_mapped_is_accepted()
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region() with { UserspaceAddress = 0x1_0000 }));
        Assert.Equal(AccessResult.MemoryFaultExit, vm.Read(0).ExitReason);
    }

    [Fact]
    public void A_guest_memfd_must_be_open_and_be_one()
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        vm.Files.Open(20, null);
        var region = vm.Region(MemslotFlags.GuestMemfd);
        Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(region with { GuestMemfd = 20 }));
        Assert.Equal(Errno.EBADF, vm.Vm.SetUserMemoryRegion2(region with { GuestMemfd = 21 }));
        vm.Files.Close(TestVm.MemfdDescriptor);
        Assert.Equal(Errno.EBADF, vm.Vm.SetUserMemoryRegion2(region));
    }

    [Fact]
    public void Address_spaces_are_apart()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        var other = vm.Region() with { Slot = 0x1_0001, UserspaceAddress = TestVm.Hva + Page.Size };
        var access = new VcpuAccess(TestVm.Base, Access.Read);
        Assert.Equal(AccessResult.MmioExit, vm.Vm.Access(access, addressSpace: 1).ExitReason);
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(other));
        Assert.Equal(TestVm.Hva >> 12, vm.Vm.Access(access).Leaf.Pfn.Value);
        Assert.Equal((TestVm.Hva >> 12) + 1, vm.Vm.Access(access, addressSpace: 1).Leaf.Pfn.Value);
    }
}
