namespace Userfault.Mmu.Tests;

/// <summary>Every row of the table of toggles, for both architectures, and what combinations of them do.</summary>
public sealed class ToggleTests
{
    private const MemslotFlags None = MemslotFlags.None;
    private const MemslotFlags Log = MemslotFlags.LogDirtyPages;
    private const MemslotFlags Readonly = MemslotFlags.Readonly;
    private const MemslotFlags Memfd = MemslotFlags.GuestMemfd;
    private const MemslotFlags Userfault = MemslotFlags.Userfault;
    private static readonly MmuPolicy X86 = MmuPolicy.X86;
    private static readonly MmuPolicy Arm64 = MmuPolicy.Arm64;
    private static readonly MmuPolicy AllDirty = X86 with
    {
        DirtyLogProtect = DirtyLogProtect.Manual | DirtyLogProtect.InitiallySet,
    };

    private static readonly MmuPolicy Dropping = X86 with { DropsTablesToRecover = true };

    private static readonly ToggleEvents Nothing = new(0, 0, false);

    private static readonly ToggleCase[] All =
    [
        // USERFAULT off -> on: everything goes.
        new("userfault on", X86, None, Userfault, Nothing),
        new("userfault on", Arm64, None, Userfault, Nothing),
        new("userfault on, logging", X86, Log, Log | Userfault, Nothing),
        new("userfault on, logging", Arm64, Log, Log | Userfault, Nothing),
        new("userfault on, READONLY", X86, Readonly, Readonly | Userfault, Nothing, ReadAll),
        new("userfault on, READONLY", Arm64, Readonly, Readonly | Userfault, Nothing, ReadAll),
        new("userfault on, guest_memfd", X86, Memfd, Memfd | Userfault, Nothing),
        new("userfault and logging on", X86, None, Log | Userfault, Nothing),
        new("userfault and logging on", Arm64, None, Log | Userfault, Nothing),
        new("userfault on, logging off", X86, Log, Userfault, Nothing),
        // USERFAULT on -> off: x86 recovers large leaves, arm64 leaves all as it is.
        new("userfault off", X86, Userfault, None, new(0, 1, true)),
        new("userfault off", Arm64, Userfault, None, new(16, 0, true)),
        new("userfault off, still logging", X86, Log | Userfault, Log, new(16, 0, true)),
        new("userfault off, still logging", Arm64, Log | Userfault, Log, new(16, 0, true)),
        new("userfault off, READONLY", X86, Readonly | Userfault, Readonly, new(0, 1, false), ReadAll),
        new(
            "userfault off, READONLY, logging",
            X86,
            Readonly | Log | Userfault,
            Readonly | Log,
            new(16, 0, false),
            ReadAll
        ),
        new("userfault off, READONLY", Arm64, Readonly | Userfault, Readonly, new(16, 0, false), ReadAll),
        new("userfault off, guest_memfd", X86, Memfd | Userfault, Memfd, new(0, 1, true)),
        new("userfault off, logging on", X86, Userfault, Log, new(16, 0, false)),
        new("userfault off, logging on", Arm64, Userfault, Log, new(16, 0, false)),
        new("userfault and logging off", X86, Log | Userfault, None, new(0, 1, true)),
        new("userfault and logging off", Arm64, Log | Userfault, None, new(16, 0, true)),
        new("userfault off, small host pages", X86, Userfault, None, new(16, 0, true), ShrinkAndWrite),
        new("userfault off, tables dropped", Dropping, Userfault, None, new(0, 0, false)),
        new(
            "userfault off, tables dropped, small host pages",
            Dropping,
            Userfault,
            None,
            new(16, 0, true),
            ShrinkAndWrite
        ),
        new("userfault off, tables dropped, still logging", Dropping, Log | Userfault, Log, new(16, 0, true)),
        // LOG_DIRTY_PAGES off -> on: write-protect; x86 splits.
        new("logging on", X86, None, Log, new(512, 0, false)),
        new("logging on", Arm64, None, Log, new(0, 1, false)),
        new("logging on, not eager", X86 with { SplitsEagerly = false }, None, Log, new(0, 1, false)),
        new("logging on, eager", Arm64 with { SplitsEagerly = true }, None, Log, new(512, 0, false)),
        new("logging on, hardware bits", X86 with { UsesHardwareDirtyLog = true }, None, Log, new(512, 0, true)),
        new("logging on, all dirty from the start", AllDirty, None, Log, new(0, 1, true)),
        new("logging on, userfault", X86, Userfault, Log | Userfault, new(16, 0, false)),
        new("logging on, userfault", Arm64, Userfault, Log | Userfault, new(16, 0, false)),
        new("logging on, READONLY", X86, Readonly, Readonly | Log, new(0, 1, false), ReadAll),
        new("logging on, READONLY", Arm64, Readonly, Readonly | Log, new(0, 1, false), ReadAll),
        // LOG_DIRTY_PAGES on -> off: x86 recovers, provided that userfault is off as well.
        new("logging off", X86, Log, None, new(0, 1, true)),
        new("logging off", Arm64, Log, None, new(16, 0, true)),
        new("logging off, still userfault", X86, Log | Userfault, Userfault, new(16, 0, true)),
        new("logging off, still userfault", Arm64, Log | Userfault, Userfault, new(16, 0, true)),
        new("logging off, READONLY", X86, Readonly | Log, Readonly, new(16, 0, false), ReadAll),
        new("logging off, tables dropped", Dropping, Log, None, new(0, 0, false)),
        new("logging off, tables dropped, still userfault", Dropping, Log | Userfault, Userfault, new(16, 0, true)),
        new("logging off, first page protected", X86, Log, None, new(0, 1, false), vm => WriteAndProtect(vm, 0, 5)),
        new("logging off, first page writable", X86, Log, None, new(0, 1, true), vm => WriteAndProtect(vm, 5, 0)),
        new("logging off, pages protected", X86, Log, None, new(0, 1, false), WriteAndProtect),
    ];

    public static TheoryData<int, string> Cases()
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < All.Length; i++)
            data.Add(i, $"{All[i].Policy.Architecture}: {All[i].Name}");
        return data;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_toggle_leaves_what_the_table_says(int index, string name)
    {
        Assert.NotEmpty(name);
        var test = All[index];
        using var vm = new TestVm(test.Policy, test.From);
        (test.Prepare ?? WriteAll)(vm);
        Assert.NotEqual(0, vm.Mapped.MappedPages);

        vm.SetFlags(test.To);

        var leaf = vm.Leaf(0);
        Assert.Equal(test.Expected, new(vm.Mapped.Leaves4K, vm.Mapped.Leaves2M, leaf.Permits(Access.Write)));
        Assert.False(vm.Core.HasWork);
        Assert.True(vm.Core.UnflushedBreak.IsEmpty);
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_slot_created_with_the_flag_maps_small_pages_only(Architecture architecture)
    {
        using var vm = new TestVm(TestVm.PolicyOf(architecture), Userfault);
        Assert.Equal(0, vm.Mapped.MappedPages);
        ReadAll(vm);
        Assert.Equal((16L, 0L), (vm.Mapped.Leaves4K, vm.Mapped.Leaves2M));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_bit_set_after_mapping_counts_only_once_the_flag_was_off_and_on(Architecture architecture)
    {
        using var vm = new TestVm(TestVm.PolicyOf(architecture), Userfault);
        Assert.True(vm.Read(7).IsCompleted);
        vm.Bitmap.Set(7);
        Assert.True(vm.Read(7).IsCompleted);
        vm.SetFlags(None);
        Assert.True(vm.Read(7).IsCompleted);
        vm.SetFlags(Userfault);
        Assert.True(vm.Read(7).IsUserfaultExit);
    }

    [Fact]
    public void On_arm64_a_later_fault_puts_a_block_in_the_tables_place()
    {
        using var vm = new TestVm(Arm64, Userfault);
        ReadAll(vm);
        vm.SetFlags(None);
        Assert.Equal(16, vm.Mapped.Leaves4K);

        // What is mapped is not touched; a page that is not is mapped with all its block.
        Assert.Equal(PageLevel.Size4K, vm.Read(3).Leaf.Level);
        var result = vm.Read(100);

        Assert.Equal(PageLevel.Size2M, result.Leaf.Level);
        Assert.Equal(2, result.Faults); // the break with its flush, and the make
        Assert.Equal((0L, 1L), (vm.Mapped.Leaves4K, vm.Mapped.Leaves2M));
    }

    /// <summary>Break-before-make as an owner sees it who has to wait for other vCPUs between break and make.</summary>
    [Fact]
    public void On_arm64_nothing_maps_a_broken_block_before_its_flush()
    {
        using var vm = new TestVm(Arm64, Userfault);
        ReadAll(vm);
        vm.SetFlags(None);
        var core = vm.Core;
        var block = new GfnRange(TestVm.Base, 512);

        var broken = core.Fault(new VcpuAccess(TestVm.Base.Plus(100), Access.Read));
        Assert.Equal(FaultKind.FlushFirst, broken.Kind);
        Assert.Equal(block, broken.Flush);
        Assert.False(vm.Leaf(0).IsPresent);
        Assert.Equal(FaultKind.FlushFirst, core.Fault(new VcpuAccess(TestVm.Base.Plus(3), Access.Read)).Kind);
        Assert.Equal(FaultKind.Mapped, core.Fault(new VcpuAccess(TestVm.Base.Plus(600), Access.Read)).Kind);
        Assert.Throws<InvalidOperationException>(() => core.Work(1));

        core.CompleteFlush();
        Assert.Equal(FaultKind.Mapped, core.Fault(new VcpuAccess(TestVm.Base.Plus(3), Access.Read)).Kind);
        Assert.Equal(PageLevel.Size2M, vm.Leaf(100).Level);
    }

    [Fact]
    public void On_arm64_a_second_break_does_not_end_the_wait_for_the_first_ones_flush()
    {
        using var vm = new TestVm(Arm64, Userfault);
        vm.Read(3);
        vm.Read(600);
        vm.SetFlags(None);
        var core = vm.Core;

        Assert.Equal(FaultKind.FlushFirst, core.Fault(new VcpuAccess(TestVm.Base.Plus(100), Access.Read)).Kind);
        Assert.Equal(FaultKind.FlushFirst, core.Fault(new VcpuAccess(TestVm.Base.Plus(700), Access.Read)).Kind);
        Assert.Equal(FaultKind.FlushFirst, core.Fault(new VcpuAccess(TestVm.Base.Plus(3), Access.Read)).Kind);
        Assert.False(vm.Leaf(3).IsPresent);

        core.CompleteFlush();
        Assert.Equal(FaultKind.Mapped, core.Fault(new VcpuAccess(TestVm.Base.Plus(3), Access.Read)).Kind);
        Assert.Equal(FaultKind.Mapped, core.Fault(new VcpuAccess(TestVm.Base.Plus(600), Access.Read)).Kind);
        Assert.Equal((PageLevel.Size2M, PageLevel.Size2M), (vm.Leaf(3).Level, vm.Leaf(600).Level));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_quirk_zaps_every_slot_of_the_vm(bool isQuirky)
    {
        using var vm = new TestVm(X86);
        if (!isQuirky)
            Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.DisableQuirks2, 0, VmCapability.QuirkSlotZapAll));
        var others = new[] { AddSlot(vm, 5), AddSlot(vm, 0x1_0006) };
        foreach (
            var step in new Action[]
            {
                () => vm.SetFlags(Userfault),
                () => Assert.Equal(Errno.None, Move(vm)),
                () => Assert.Equal(Errno.None, Delete(vm)),
            }
        )
        {
            TouchOthers(vm);
            Assert.All(others, core => Assert.NotEqual(0, core.Table.Counters.MappedPages));
            step();
            Assert.All(others, core => Assert.Equal(isQuirky, core.Table.Counters.MappedPages == 0));
        }
    }

    [Fact]
    public void Without_quirks_arm64_zaps_one_slot()
    {
        using var vm = new TestVm(Arm64);
        var other = AddSlot(vm, 5);
        TouchOthers(vm);
        vm.SetFlags(Userfault);
        Assert.NotEqual(0, other.Table.Counters.MappedPages);
        Assert.Equal(Errno.EINVAL, vm.Vm.EnableCap(VmCapability.DisableQuirks2, 0, VmCapability.QuirkSlotZapAll));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void Logging_toggled_under_userfault_takes_the_new_bitmap_and_zaps_nothing(Architecture architecture)
    {
        using var vm = new TestVm(TestVm.PolicyOf(architecture), Userfault);
        ReadAll(vm);
        var other = vm.AddBitmap(TestVm.Pages);
        other.Set(20);
        var region = vm.Region(Log | Userfault);
        region.UserfaultBitmap = ModelHostMemory.AddressOf(other).Value;

        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));

        Assert.Equal(16, vm.Mapped.Leaves4K);
        Assert.True(vm.Read(20).IsUserfaultExit);
        vm.Bitmap.Set(21);
        Assert.True(vm.Read(21).IsCompleted);
    }

    [Fact]
    public void Another_bitmap_with_the_same_flags_is_success_and_ignored()
    {
        using var vm = new TestVm(X86, Userfault);
        var other = vm.AddBitmap(TestVm.Pages);
        other.SetAll();
        var region = vm.Region(Userfault);
        region.UserfaultBitmap = ModelHostMemory.AddressOf(other).Value;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        Assert.True(vm.Read(20).IsCompleted);
        Assert.Equal(ModelHostMemory.AddressOf(vm.Bitmap), vm.Core.Slot.UserfaultBitmap);
    }

    [Fact]
    public void What_was_dropped_is_mapped_large_by_the_next_fault()
    {
        using var vm = new TestVm(Dropping, Userfault);
        ReadAll(vm);
        vm.SetFlags(None);
        Assert.Equal(0, vm.Mapped.MappedPages);
        var result = vm.Read(3);
        Assert.Equal((1, PageLevel.Size2M), (result.Faults, result.Leaf.Level));
    }

    /// <summary>
    /// The one way in which dropping shows to a guest's VMM: what is mapped again by a read counts as written.
    /// </summary>
    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public void A_log_tells_recovery_in_place_from_dropping(bool drops, int dirty)
    {
        using var vm = new TestVm(X86 with { DropsTablesToRecover = drops }, Log);
        vm.Write(3);
        vm.SetFlags(None);
        vm.SetFlags(Log);
        Assert.True(vm.Read(3).IsCompleted);
        Assert.Equal(dirty, vm.GetDirtyLog().Length);
    }

    [Fact]
    public void A_slot_without_a_bitmap_gets_one_with_a_change_of_flags_and_loses_it_so()
    {
        using var vm = new TestVm(X86, createsSlot: false);
        vm.Bitmap.SetAll();
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region(Userfault) with { UserfaultBitmap = 0 }));
        Assert.True(vm.Read(3).IsCompleted);

        // The same flags: the pointer is ignored.
        vm.SetFlags(Userfault);
        Assert.True(vm.Read(4).IsCompleted);
        vm.SetFlags(Userfault | Log);
        Assert.True(vm.Read(4).IsCompleted);
        Assert.True(vm.Read(5).IsUserfaultExit);

        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(vm.Region(Userfault) with { UserfaultBitmap = 0 }));
        Assert.True(vm.Read(5).IsCompleted);
    }

    /// <summary>v3 as posted loses the file here, and every private fault is EFAULT afterwards.</summary>
    [Fact]
    public void A_flag_that_is_set_late_keeps_the_guest_memfd()
    {
        using var vm = new TestVm(X86, Memfd);
        vm.Vm.SetMemoryAttributes(TestVm.Gpa, TestVm.Pages * Page.Size, MemoryAttributes.PrivateBit);
        vm.Bitmap.Set(4);
        vm.SetFlags(Memfd | Userfault);
        Assert.Equal(new Pfn(0x10_0003), vm.Access(3, Access.Read, isPrivate: true).Leaf.Pfn);
        Assert.True(vm.Access(4, Access.Read, isPrivate: true).IsUserfaultExit);
        Assert.Equal(1, vm.Memfd.Bindings);
    }

    [Fact]
    public void A_move_takes_the_new_bitmap_and_its_bits_count_from_the_new_base()
    {
        using var vm = new TestVm(X86, Userfault);
        var other = vm.AddBitmap(TestVm.Pages);
        other.Set(7);
        var region = vm.Region(Userfault);
        region.GuestPhysicalAddress += region.MemorySize;
        region.UserfaultBitmap = ModelHostMemory.AddressOf(other).Value;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        Assert.True(vm.Read(TestVm.Pages + 7).IsUserfaultExit);
        Assert.True(vm.Read(TestVm.Pages + 8).IsCompleted);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(100_000)]
    public void A_toggle_is_done_in_bounded_batches_while_faults_go_on(int budget)
    {
        using var vm = new TestVm(X86);
        WriteSpread(vm);
        var core = vm.Core;
        core.ChangeFlags(core.Slot with { Flags = Userfault, UserfaultBitmap = ModelHostMemory.AddressOf(vm.Bitmap) });
        vm.Bitmap.SetAll();
        var batches = 0;
        var flush = default(GfnRange);
        for (var isDone = false; !isDone; batches++)
        {
            Assert.True(core.HasWork);
            Assert.Throws<InvalidOperationException>(() => core.ChangeFlags(core.Slot with { Flags = None }));
            var step = core.Work(budget);
            isDone = step.IsDone;
            flush =
                flush.IsEmpty ? step.Flush
                : step.Flush.IsEmpty ? flush
                : GfnRange.Between(
                    flush.Start < step.Flush.Start ? flush.Start : step.Flush.Start,
                    flush.End > step.Flush.End ? flush.End : step.Flush.End
                );
            Assert.True(core.Fault(new VcpuAccess(TestVm.Base.Plus(2000), Access.Read)).IsUserfaultExit);
        }

        Assert.Equal(0, vm.Mapped.MappedPages);
        Assert.Equal(new GfnRange(TestVm.Base, TestVm.Pages), flush);
        Assert.True(budget == 100_000 ? batches <= 2 : batches > 2, $"{batches} batches");
    }

    private static void WriteAll(TestVm vm) => Touch(vm, Access.Write);

    private static void ReadAll(TestVm vm) => Touch(vm, Access.Read);

    private static void Touch(TestVm vm, Access kind)
    {
        for (var page = 0UL; page < 16; page++)
            Assert.True(vm.Access(page, kind).IsCompleted);
    }

    private static void WriteSpread(TestVm vm)
    {
        for (var page = 0UL; page < TestVm.Pages; page += 512)
            Assert.True(vm.Write(page).IsCompleted);
    }

    private static void ShrinkAndWrite(TestVm vm)
    {
        vm.Host.Memory.Map(new Hva(TestVm.Hva), TestVm.Pages * Page.Size);
        WriteAll(vm);
    }

    private static void WriteAndProtect(TestVm vm)
    {
        WriteAll(vm);
        Assert.Equal(16, vm.GetDirtyLog().Length);
    }

    /// <summary>One page that was written and is protected, and one that was written since.</summary>
    private static void WriteAndProtect(TestVm vm, ulong isProtected, ulong writable)
    {
        Assert.True(vm.Write(isProtected).IsCompleted);
        Assert.Equal([isProtected], vm.GetDirtyLog());
        Assert.True(vm.Write(writable).IsCompleted);
    }

    private static MemslotCore AddSlot(TestVm vm, uint slot)
    {
        var region = vm.Region();
        region.Slot = slot;
        region.GuestPhysicalAddress += 16 * region.MemorySize;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        return vm.Vm.FindSlot(new SlotId(slot))!;
    }

    private static void TouchOthers(TestVm vm)
    {
        var access = new VcpuAccess(TestVm.Base.Plus(16 * TestVm.Pages), Access.Read);
        for (var space = 0; space < vm.Vm.Policy.AddressSpaces; space++)
            Assert.True(vm.Vm.Access(access, space).IsCompleted);
    }

    private static Errno Move(TestVm vm)
    {
        var region = vm.Region(Userfault);
        region.GuestPhysicalAddress += region.MemorySize;
        return vm.Vm.SetUserMemoryRegion2(region);
    }

    private static Errno Delete(TestVm vm)
    {
        var region = vm.Region();
        region.MemorySize = 0;
        return vm.Vm.SetUserMemoryRegion2(region);
    }
}
