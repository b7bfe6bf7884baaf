namespace Userfault.Mmu.Tests;

/// <summary>KVM_PRE_FAULT_MEMORY: the path of a read, with its ends as errno values.</summary>
public sealed class PreFaultTests
{
    private static readonly Gpa Start = new(TestVm.Gpa);

    [Theory]
    [InlineData(0UL, 0UL, 0UL, Errno.EINVAL)]
    [InlineData(0UL, 0x1001UL, 0UL, Errno.EINVAL)]
    [InlineData(8UL, 0x1000UL, 0UL, Errno.EINVAL)]
    [InlineData(0UL, 0x1000UL, 1UL, Errno.EINVAL)]
    [InlineData(0UL, 0xffff_ffff_ffff_f000UL, 0UL, Errno.EINVAL)]
    [InlineData(0UL, 0x1000UL, 0UL, Errno.None)]
    public void Arguments_are_checked(ulong offset, ulong size, ulong flags, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86);
        Assert.Equal(expected, vm.Vm.PreFault(new Gpa(TestVm.Gpa + offset), size, flags).Errno);
    }

    [Fact]
    public void Arm64_does_not_have_it()
    {
        using var vm = new TestVm(MmuPolicy.Arm64);
        Assert.Equal(0, vm.Vm.CheckExtension(VmCapability.PreFaultMemory));
        Assert.Equal(Errno.EINVAL, vm.Vm.PreFault(Start, 0x1000).Errno);
    }

    [Fact]
    public void A_whole_slot_is_mapped_as_if_it_had_been_read()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        var result = vm.Vm.PreFault(Start, TestVm.Pages * Page.Size);
        Assert.Equal(new PreFaultResult(Errno.None, new Gpa(TestVm.Gpa + (TestVm.Pages * Page.Size)), 0), result);
        Assert.Equal(4, vm.Mapped.Leaves2M);
        Assert.Equal(4, vm.Host.PageRequests);
        Assert.Equal(0, vm.Write(5).Faults);
    }

    [Fact]
    public void A_range_may_begin_and_end_within_a_large_leaf()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        Assert.Equal(0UL, vm.Vm.PreFault(new Gpa(TestVm.Gpa + 0x1f_f000), 0x2000).SizeBytes);
        Assert.Equal(2, vm.Mapped.Leaves2M);
    }

    [Theory]
    [InlineData("no slot", Errno.ENOENT)]
    [InlineData("bit set", Errno.EFAULT)]
    [InlineData("bitmap unreadable", Errno.EFAULT)]
    [InlineData("poisoned", Errno.EHWPOISON)]
    [InlineData("signal", Errno.EINTR)]
    [InlineData("unmapped", Errno.EFAULT)]
    [InlineData("slot being deleted", Errno.EAGAIN)]
    [InlineData("missing", Errno.EAGAIN)]
    [InlineData("private, no memory for it", Errno.EFAULT)]
    public void What_a_read_would_meet_is_an_errno(string name, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.Userfault);
        var hva = new Hva(TestVm.Hva);
        var gpa = name == "no slot" ? new Gpa(0x1000) : Start;
        Action prepare = name switch
        {
            "bit set" => () => vm.Bitmap.Set(0),
            "bitmap unreadable" => () => vm.Host.Memory.RemoveBitmap(vm.Bitmap),
            "poisoned" => () => vm.Host.Memory.Poison(hva),
            "signal" => () => vm.Host.Memory.HasPendingSignal = true,
            "unmapped" => () => vm.Host.Memory.Unmap(hva, Page.Size),
            "slot being deleted" => vm.Core.Invalidate,
            "missing" => () => vm.Host.Memory.SetMissing(hva, Page.Size),
            "private, no memory for it" => () =>
                vm.Vm.SetMemoryAttributes(TestVm.Gpa, 4096, MemoryAttributes.PrivateBit),
            _ => () => { },
        };
        prepare();

        var result = vm.Vm.PreFault(gpa, Page.Size);

        Assert.Equal((expected, gpa, 4096UL), (result.Errno, result.Gpa, result.SizeBytes));
        Assert.Equal(name == "missing" ? hva : null, result.BlockedOn);
    }

    [Fact]
    public void A_range_that_ends_early_is_success_with_the_rest()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.Userfault);
        vm.Bitmap.Set(3);
        var result = vm.Vm.PreFault(Start, 8 * Page.Size);
        Assert.Equal(new PreFaultResult(Errno.None, new Gpa(TestVm.Gpa + 0x3000), 5 * Page.Size), result);
        Assert.Equal(Errno.EFAULT, vm.Vm.PreFault(result.Gpa, result.SizeBytes).Errno);
    }

    [Fact]
    public void In_a_logging_slot_pages_count_as_dirty_as_after_a_read()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.LogDirtyPages);
        Assert.Equal(Errno.None, vm.Vm.PreFault(Start, 2 * Page.Size).Errno);
        Assert.Equal([0UL, 1UL], vm.GetDirtyLog());
    }

    [Fact]
    public void Private_pages_come_from_the_guest_memfd()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.GuestMemfd);
        vm.Vm.SetMemoryAttributes(TestVm.Gpa, TestVm.Pages * Page.Size, MemoryAttributes.PrivateBit);
        Assert.Equal(Errno.None, vm.Vm.PreFault(Start, Page.Size).Errno);
        Assert.Equal(0, vm.Host.PageRequests);
        Assert.Equal(new Pfn(0x10_0000), vm.Leaf(0).Pfn);
    }
}
