namespace Userfault.Mmu.Tests;

/// <summary>
/// What the kernel's own <c>set_memory_region_test</c> checks, as cases of the model: its region is 2 MiB at 3 GiB in
/// slot 10.
/// </summary>
public sealed class SetMemoryRegionTest
{
    private const ulong Gpa = 0xc000_0000;
    private const ulong Size = 0x20_0000;
    private const ulong Hva = 0x7f00_0000_0000;

    [Fact]
    public void A_vcpu_without_any_memory_gets_nowhere()
    {
        using var vm = new Vm(MmuPolicy.X86, Memory());
        Assert.Equal(AccessResult.MmioExit, Read(vm, 0).ExitReason);
    }

    /// <summary>Delete, recreate, delete again under a vCPU that reads: MMIO, memory, MMIO; it never dies.</summary>
    [Fact]
    public void A_region_in_use_is_deleted_and_recreated()
    {
        using var vm = new Vm(MmuPolicy.X86, Memory());
        for (var loop = 0; loop < 10; loop++)
        {
            Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region()));
            Assert.True(Read(vm, Gpa).IsCompleted);
            Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region() with { MemorySize = 0 }));
            Assert.Equal((AccessResult.MmioExit, Errno.None), (Read(vm, Gpa).ExitReason, Read(vm, Gpa).Errno));
        }
    }

    /// <summary>
    /// Moved a page down, gpa and hva no longer line up: the guest sees another page, in a small leaf.
    /// </summary>
    [Fact]
    public void A_region_in_use_is_moved_and_moved_back()
    {
        using var vm = new Vm(MmuPolicy.X86, Memory());
        Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region()));
        for (var loop = 0; loop < 10; loop++)
        {
            Assert.Equal((PageLevel.Size2M, new Pfn(Hva >> 12)), (Read(vm, Gpa).Leaf.Level, Read(vm, Gpa).Leaf.Pfn));
            Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region() with { GuestPhysicalAddress = Gpa - 4096 }));
            Assert.Equal(
                (PageLevel.Size4K, new Pfn((Hva >> 12) + 1)),
                (Read(vm, Gpa).Leaf.Level, Read(vm, Gpa).Leaf.Pfn)
            );
            Assert.Equal(AccessResult.MmioExit, Read(vm, Gpa + Size - 4096).ExitReason);
            Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region()));
        }
    }

    /// <summary>
    /// A vCPU that meets the slot while it is on its way waits; it sees neither the old page nor MMIO (x86).
    /// </summary>
    [Fact]
    public void A_region_on_its_way_makes_the_vcpu_retry()
    {
        using var vm = new Vm(MmuPolicy.X86, Memory());
        Assert.Equal(Errno.None, vm.SetUserMemoryRegion2(Region()));
        var core = vm.FindSlot(new SlotId(10))!;
        Assert.True(Read(vm, Gpa).IsCompleted);
        core.Invalidate();
        while (core.HasWork)
            core.Work(1);
        Assert.Equal(FaultKind.Retry, Read(vm, Gpa).Fault.Kind);
        core.Activate(core.Slot with { IsInvalid = false });
        Assert.True(Read(vm, Gpa).IsCompleted);
    }

    [Theory]
    [InlineData(Architecture.X86, 32764)]
    [InlineData(Architecture.Arm64, 32767)]
    public void All_slots_that_the_capability_promises_can_be_added(Architecture architecture, int expected)
    {
        var policy = TestVm.PolicyOf(architecture);
        using var vm = new Vm(policy, Memory());
        var slots = vm.CheckExtension(VmCapability.NrMemslots);
        Assert.Equal(expected, slots);
        // The set alone: a table for each of 32 thousand slots is the other thing that the kernel does not have.
        MemslotSet[] sets = [new()];
        for (var slot = 0; slot < slots; slot++)
        {
            var region = Region() with { Slot = (uint)slot, GuestPhysicalAddress = (ulong)slot * Size };
            var plan = RegionChecks.Plan(region, policy, sets);
            Assert.Equal((Errno.None, MemslotChange.Create), (plan.Errno, plan.Change));
            sets[0].Install(plan.New!);
        }

        var extra = Region() with { Slot = (uint)slots, GuestPhysicalAddress = (ulong)slots * Size };
        Assert.Equal(Errno.EINVAL, RegionChecks.Plan(extra, policy, sets).Errno);
        Assert.Equal(slots, sets[0].Count);
        for (var slot = 0UL; slot < (ulong)slots; slot += 97)
            Assert.Equal((ushort)slot, sets[0].Current.Find(new Gpa((slot * Size) + 0x1f_f000).ToGfn())!.Id.Id);
    }

    [Fact]
    public void A_guest_memfd_region_takes_no_logging_and_no_READONLY()
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        foreach (var flags in new[] { 4u | 1u, 4u | 2u, 4u | 1u | 2u })
            Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(vm.Region() with { Flags = flags }));
        for (var bit = 4; bit < 32; bit++)
            Assert.Equal(Errno.EINVAL, vm.Vm.SetUserMemoryRegion2(vm.Region() with { Flags = 1u << bit }));
    }

    /// <summary>Two regions on one file: apart is fine, overlapping is EINVAL, whichever way round.</summary>
    [Theory]
    [InlineData(0UL, 0UL, Errno.EINVAL)]
    [InlineData(0UL, Size, Errno.None)]
    [InlineData(0UL, Size - 4096, Errno.EINVAL)]
    [InlineData(Size, 0UL, Errno.None)]
    [InlineData(Size, 4096UL, Errno.EINVAL)]
    public void Two_regions_share_a_guest_memfd_only_where_they_are_apart(ulong first, ulong second, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        var region = vm.Region(MemslotFlags.GuestMemfd) with { MemorySize = Size, GuestMemfdOffset = first };
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        region = region with
        {
            Slot = 2,
            GuestPhysicalAddress = region.GuestPhysicalAddress + Size,
            GuestMemfdOffset = second,
        };
        Assert.Equal(expected, vm.Vm.SetUserMemoryRegion2(region));
    }

    [Fact]
    public void USERFAULT_can_be_toggled_on_a_guest_memfd_region()
    {
        using var vm = new TestVm(MmuPolicy.X86, MemslotFlags.GuestMemfd);
        foreach (var flags in new[] { 4 | 8, 4, 4 | 8, 4 })
            vm.SetFlags((MemslotFlags)flags);
        Assert.Equal(1, vm.Memfd.Bindings);
        Assert.Equal(
            Errno.EINVAL,
            vm.Vm.SetUserMemoryRegion2(vm.Region(MemslotFlags.GuestMemfd) with { GuestPhysicalAddress = 0 })
        );
    }

    private static UserspaceMemoryRegion2 Region() =>
        new()
        {
            Slot = 10,
            GuestPhysicalAddress = Gpa,
            MemorySize = Size,
            UserspaceAddress = Hva,
        };

    private static ModelHostMemory Memory()
    {
        var memory = new ModelHostMemory();
        memory.Map(new Hva(Hva), Size, PageLevel.Size2M);
        return memory;
    }

    private static AccessResult Read(Vm vm, ulong gpa) => vm.Access(new VcpuAccess(new Gpa(gpa).ToGfn(), Access.Read));
}
