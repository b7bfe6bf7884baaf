namespace Userfault.Mmu.Tests;

/// <summary>The fault path's table, case by case, with counts of what each access is seen to do.</summary>
public sealed class FaultPathTests
{
    public static TheoryData<int, string> Cases()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < FaultCases.All.Length; i++)
        {
            var test = FaultCases.All[i];
            data.Add(i, $"step {test.Step}, {test.On}, {test.Flags}: {test.Name}");
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_access_ends_as_the_table_says(int index, string name)
    {
        Assert.NotEmpty(name);
        var test = FaultCases.All[index];
        using var vm = new TestVm(TestVm.PolicyOf(test.On), test.Flags);
        test.Prepare?.Invoke(vm);
        var (reads, requests) = (vm.Host.BitmapReads, vm.Host.PageRequests);
        var access = test.Access with { Gfn = TestVm.Base.Plus(test.Access.Gfn.Value) };

        var result = vm.Vm.Access(access);

        var seen = new FaultEvents(
            result.Fault.Kind,
            result.IsCompleted,
            result.Fault.Flags,
            result.Errno,
            result.ExitReason,
            vm.Host.BitmapReads - reads,
            vm.Host.PageRequests - requests,
            vm.Core.DirtyBitmap is null ? 0 : vm.DirtyPages().Length,
            result.IsCompleted ? result.Leaf.Level : 0
        );
        Assert.Equal(test.Expected, seen);
        if (seen.Exit == AccessResult.MemoryFaultExit)
        {
            Assert.Equal(access.Gfn.ToGpa(), result.Fault.Gpa);
            Assert.Equal(4096UL, result.Fault.SizeBytes);
        }
    }

    [Fact]
    public void Every_step_is_tried_on_both_architectures()
    {
        var steps = FaultCases
            .All.GroupBy(test => test.Step)
            .ToDictionary(group => group.Key, group => group.Select(test => test.On).Distinct().Count());
        Assert.Equal(Enumerable.Range(0, 11), steps.Keys.Order());
        Assert.All(steps, step => Assert.Equal(2, step.Value));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_fault_that_somebody_else_resolved_is_spurious(Architecture architecture)
    {
        using var vm = new TestVm(TestVm.PolicyOf(architecture), MemslotFlags.Userfault);
        var access = new VcpuAccess(TestVm.Base.Plus(9), Access.Write);
        Assert.Equal(FaultKind.Mapped, vm.Core.Fault(access).Kind);

        var second = vm.Core.Fault(access);

        Assert.Equal(FaultKind.Spurious, second.Kind);
        Assert.Equal(PageLevel.Size4K, second.Level);
        Assert.Equal(1, vm.Mapped.Leaves4K);
    }

    [Fact]
    public void A_fault_outside_of_the_slot_is_a_bug_of_the_caller()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            vm.Core.Fault(new VcpuAccess(TestVm.Base.Plus(TestVm.Pages), Access.Read))
        );
    }

    /// <summary>The post-copy protocol of two vCPUs on one page: one fetch; the late one finds the bit clear.</summary>
    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void Two_vcpus_exit_for_one_page_and_both_resume(Architecture architecture)
    {
        using var vm = new TestVm(TestVm.PolicyOf(architecture), MemslotFlags.Userfault);
        vm.Bitmap.SetAll();
        var access = new VcpuAccess(TestVm.Base.Plus(9), Access.Read);
        Assert.True(vm.Core.Fault(access).IsUserfaultExit);
        Assert.True(vm.Core.Fault(access).IsUserfaultExit);

        Assert.True(vm.Bitmap.Clear(9));
        Assert.False(vm.Bitmap.Clear(9));

        Assert.Equal(FaultKind.Mapped, vm.Core.Fault(access).Kind);
        Assert.Equal(FaultKind.Spurious, vm.Core.Fault(access).Kind);
    }

    /// <summary>
    /// A zero page that is read, then written: another frame takes its place, and TLBs must hear of it.
    /// </summary>
    [Fact]
    public void A_write_that_changes_the_host_page_flushes()
    {
        using var vm = new TestVm(MmuPolicy.X86);
        vm.Host.Override = (_, write) => new HostPage(new Pfn(write ? 0x77u : 0x1u), PageLevel.Size4K, write);
        Assert.Equal(new Pfn(1), vm.Read(5).Leaf.Pfn);

        var fault = vm.Core.Fault(new VcpuAccess(TestVm.Base.Plus(5), Access.Write));

        Assert.Equal(FaultKind.Mapped, fault.Kind);
        Assert.Equal(new GfnRange(TestVm.Base.Plus(5), 1), fault.Flush);
        Assert.Equal(new Pfn(0x77), vm.Leaf(5).Pfn);
    }

    [Theory]
    [InlineData(Architecture.X86, 0x4000_0000UL, 0x7f00_4000_0000UL, PageLevel.Size1G)]
    [InlineData(Architecture.Arm64, 0x4000_0000UL, 0x7f00_4000_0000UL, PageLevel.Size1G)]
    [InlineData(Architecture.X86, 0x4020_0000UL, 0x7f00_4000_0000UL, PageLevel.Size2M)]
    [InlineData(Architecture.X86, 0x4000_1000UL, 0x7f00_4000_0000UL, PageLevel.Size4K)]
    [InlineData(Architecture.Arm64, 0x4000_1000UL, 0x7f00_4000_0000UL, PageLevel.Size4K)]
    public void A_leaf_is_as_large_as_slot_and_host_agree(
        Architecture architecture,
        ulong gpa,
        ulong hva,
        PageLevel expected
    )
    {
        var memory = new ModelHostMemory();
        memory.Map(new Hva(hva), 2UL << 30, PageLevel.Size1G);
        using var vm = new Vm(TestVm.PolicyOf(architecture), memory);
        var region = new UserspaceMemoryRegion2
        {
            GuestPhysicalAddress = gpa,
            MemorySize = 2UL << 30,
            UserspaceAddress = hva,
        };
        Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(region));

        var middle = new Gpa(gpa + (1UL << 30)).ToGfn();
        var result = vm.Access(new VcpuAccess(middle, Access.Read));

        Assert.Equal(expected, result.Leaf.Level);
        Assert.Equal((hva + (1UL << 30)) >> Page.Shift, result.Leaf.Pfn.Value);
    }

    /// <summary>A slot that begins and ends within large pages: the ends are small, the middle is large.</summary>
    [Theory]
    [InlineData(0, PageLevel.Size4K)]
    [InlineData(255, PageLevel.Size4K)]
    [InlineData(256, PageLevel.Size2M)]
    [InlineData(767, PageLevel.Size2M)]
    [InlineData(768, PageLevel.Size4K)]
    public void A_leaf_does_not_reach_out_of_its_slot(ulong page, PageLevel expected)
    {
        var memory = new ModelHostMemory();
        memory.Map(new Hva(0x7f00_0000_0000), 8 << 20, PageLevel.Size2M);
        using var vm = new Vm(MmuPolicy.X86, memory);
        var region = new UserspaceMemoryRegion2
        {
            GuestPhysicalAddress = 1 << 20,
            MemorySize = 7 << 19,
            UserspaceAddress = 0x7f00_0010_0000,
        };
        Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(region));
        Assert.Equal(expected, vm.Access(new VcpuAccess(new Gfn(256 + page), Access.Read)).Leaf.Level);
    }
}
