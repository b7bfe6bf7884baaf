namespace Userfault.Mmu.Tests;

public sealed class CapabilityTests
{
    [Theory]
    [InlineData(243u, 1, 1)] // USERFAULT
    [InlineData(239u, 0, 0)] // its number in v1 and v2: something else by now
    [InlineData(245u, 0, 0)]
    [InlineData(3u, 1, 1)] // USER_MEMORY
    [InlineData(10u, 32764, 32767)] // NR_MEMSLOTS
    [InlineData(59u, 0, 0)] // ASYNC_PF: not compatible
    [InlineData(183u, 0, 0)] // ASYNC_PF_INT
    [InlineData(81u, 1, 1)] // READONLY_MEM
    [InlineData(118u, 2, 0)] // MULTI_ADDRESS_SPACE
    [InlineData(168u, 3, 3)] // MANUAL_DIRTY_LOG_PROTECT2
    [InlineData(213u, 128, 0)] // DISABLE_QUIRKS2
    [InlineData(231u, 1, 1)] // USER_MEMORY2
    [InlineData(232u, 1, 1)] // MEMORY_FAULT_INFO
    [InlineData(233u, 8, 0)] // MEMORY_ATTRIBUTES
    [InlineData(234u, 1, 1)] // GUEST_MEMFD
    [InlineData(236u, 1, 0)] // PRE_FAULT_MEMORY
    [InlineData(0xffff_ffffu, 0, 0)]
    public void Extensions_are_answered(uint capability, int x86, int arm64)
    {
        using var first = new Vm(MmuPolicy.X86, new ModelHostMemory());
        using var second = new Vm(MmuPolicy.Arm64, new ModelHostMemory());
        Assert.Equal((x86, arm64), (first.CheckExtension(capability), second.CheckExtension(capability)));
    }

    [Fact]
    public void The_number_of_USERFAULT_is_the_kernels_to_choose()
    {
        using var vm = new Vm(MmuPolicy.X86 with { UserfaultCapability = 245 }, new ModelHostMemory());
        Assert.Equal((0, 1), (vm.CheckExtension(243), vm.CheckExtension(245)));
    }

    [Theory]
    [InlineData(243u, 0u, 0UL, Errno.EINVAL)] // USERFAULT is not to be enabled
    [InlineData(59u, 0u, 0UL, Errno.EINVAL)]
    [InlineData(168u, 0u, 0UL, Errno.None)]
    [InlineData(168u, 0u, 1UL, Errno.None)]
    [InlineData(168u, 0u, 3UL, Errno.None)]
    [InlineData(168u, 0u, 2UL, Errno.EINVAL)] // INITIALLY_SET alone
    [InlineData(168u, 0u, 5UL, Errno.EINVAL)]
    [InlineData(168u, 1u, 1UL, Errno.EINVAL)]
    [InlineData(213u, 0u, 128UL, Errno.None)]
    [InlineData(213u, 0u, 0UL, Errno.None)]
    [InlineData(213u, 0u, 1UL << 40, Errno.EINVAL)]
    [InlineData(116u, 0u, 128UL, Errno.None)]
    [InlineData(9999u, 0u, 0UL, Errno.EINVAL)]
    public void Capabilities_are_enabled_as_the_kernel_does(uint capability, uint flags, ulong argument, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86);
        Assert.Equal(expected, vm.Vm.EnableCap(capability, flags, argument));
        Assert.Same(vm.Vm.Policy, vm.Core.Policy);
    }

    [Fact]
    public void A_capability_reaches_slots_that_are_there_and_slots_to_come()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, 0, 3));
        vm.SetFlags(MemslotFlags.LogDirtyPages);
        Assert.Equal(TestVm.Pages, (ulong)vm.GetDirtyLog().Length);
        Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, 0, 0));
        Assert.Equal(TestVm.Pages, (ulong)vm.GetDirtyLog().Length);
        Assert.Empty(vm.GetDirtyLog());
    }
}
