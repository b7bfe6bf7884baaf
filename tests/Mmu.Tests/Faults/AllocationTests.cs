namespace Userfault.Mmu.Tests;

/// <summary>Faults, walks, clears and dirty logs allocate nothing managed, whatever comes of them.</summary>
public sealed class AllocationTests
{
    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_fault_allocates_nothing(Architecture architecture)
    {
        using var vm = new TestVm(
            TestVm.PolicyOf(architecture),
            MemslotFlags.Userfault | MemslotFlags.LogDirtyPages,
            PageLevel.Size4K
        );
        vm.Bitmap.SetAll();
        // The first round warms up what is made once: compiled code, native chunks.
        Round(vm, 0);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Round(vm, 1024);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Reading_and_clearing_a_log_allocates_nothing()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.LogDirtyPages);
        var words = new ulong[TestVm.Pages / 64];
        LogRound(vm, words);
        var before = GC.GetAllocatedBytesForCurrentThread();
        LogRound(vm, words);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void LogRound(TestVm vm, ulong[] words)
    {
        for (var page = 0UL; page < TestVm.Pages; page += 3)
            vm.Write(page);
        vm.Vm.GetDirtyLog(TestVm.Slot, words);
        vm.Vm.ClearDirtyLog(TestVm.Slot, 0, (uint)TestVm.Pages, words);
    }

    /// <summary>
    /// Exit, clear, map, hit, write, spurious, MMIO, no slot, being invalidated: 1,024 pages of each.
    /// </summary>
    private static void Round(TestVm vm, ulong from)
    {
        for (var page = from; page < from + 1024; page++)
        {
            var access = new VcpuAccess(TestVm.Base.Plus(page), Access.Read);
            _ = vm.Vm.Access(access);
            vm.Bitmap.Clear(page);
            _ = vm.Vm.Access(access);
            _ = vm.Vm.Access(access with { Kind = Access.Write });
            _ = vm.Vm.Access(access with { Kind = Access.Execute });
            _ = vm.Core.Fault(access);
            _ = vm.Vm.Access(new VcpuAccess(new Gfn(page), Access.Write));
            vm.Core.BeginInvalidation(new GfnRange(access.Gfn, 0));
            _ = vm.Core.Fault(access);
            vm.Core.EndInvalidation();
        }
    }
}
