namespace Userfault.Mmu.Tests;

/// <summary>KVM_GET_DIRTY_LOG and KVM_CLEAR_DIRTY_LOG: errno values, and which writes leave a trace when.</summary>
public sealed class DirtyLogTests
{
    private const MemslotFlags Log = MemslotFlags.LogDirtyPages;
    private static readonly MmuPolicy Manual = MmuPolicy.X86 with { DirtyLogProtect = DirtyLogProtect.Manual };
    private static readonly MmuPolicy AllDirty = MmuPolicy.X86 with
    {
        DirtyLogProtect = DirtyLogProtect.Manual | DirtyLogProtect.InitiallySet,
    };

    private static readonly MmuPolicy Hardware = MmuPolicy.X86 with { UsesHardwareDirtyLog = true };

    public static TheoryData<string> Kinds() => ["x86", "x86 hardware", "arm64"];

    [Theory]
    [InlineData(1u, Errno.None)]
    [InlineData(2u, Errno.ENOENT)]
    [InlineData(3u, Errno.ENOENT)]
    [InlineData(32763u, Errno.ENOENT)]
    [InlineData(32764u, Errno.EINVAL)]
    [InlineData(0xffffu, Errno.EINVAL)]
    [InlineData(0x1_0001u, Errno.ENOENT)]
    [InlineData(0x2_0001u, Errno.EINVAL)]
    public void Reading_a_log_answers_the_kernels_errno(uint slot, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        var other = vm.Region();
        other.Slot = 2; // there, but it does not log
        other.GuestPhysicalAddress += other.MemorySize;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(other));
        var words = new ulong[TestVm.Pages / 64];
        Assert.Equal(expected, vm.Vm.GetDirtyLog(new SlotId(slot), words));
        Assert.Equal(expected, vm.Vm.ClearDirtyLog(new SlotId(slot), 0, 64, words));
    }

    [Theory]
    [InlineData(0UL, 2048u, Errno.None)]
    [InlineData(0UL, 64u, Errno.None)]
    [InlineData(0UL, 0u, Errno.None)]
    [InlineData(2048UL, 0u, Errno.None)]
    [InlineData(1984UL, 64u, Errno.None)]
    [InlineData(1UL, 64u, Errno.EINVAL)]
    [InlineData(63UL, 64u, Errno.EINVAL)]
    [InlineData(0UL, 65u, Errno.EINVAL)]
    [InlineData(0UL, 2049u, Errno.EINVAL)]
    [InlineData(1984UL, 65u, Errno.EINVAL)]
    [InlineData(2112UL, 0u, Errno.EINVAL)]
    [InlineData(ulong.MaxValue - 63, 64u, Errno.EINVAL)]
    [InlineData(0UL, uint.MaxValue, Errno.EINVAL)]
    public void Clearing_a_log_checks_its_range(ulong first, uint pages, Errno expected)
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        Assert.Equal(expected, vm.Vm.ClearDirtyLog(TestVm.Slot, first, pages, new ulong[TestVm.Pages / 64]));
    }

    [Fact]
    public void Buffers_that_are_too_short_are_EFAULT()
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        vm.Write(5);
        Assert.Equal(Errno.EFAULT, vm.Vm.GetDirtyLog(TestVm.Slot, new ulong[31]));
        Assert.Equal(Errno.EFAULT, vm.Vm.ClearDirtyLog(TestVm.Slot, 0, 128, new ulong[1]));
        Assert.Equal([5UL], vm.DirtyPages());
    }

    [Fact]
    public void The_end_of_a_slot_need_not_be_a_whole_word()
    {
        using var vm = new TestVm(MmuPolicy.X86, createsSlot: false);
        var region = vm.Region(Log);
        region.MemorySize = 100 * Page.Size;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        vm.Write(99);
        var words = new ulong[2];
        Assert.Equal(Errno.None, vm.Vm.GetDirtyLog(TestVm.Slot, words));
        Assert.Equal([0UL, 1UL << 35], words);
        vm.Write(99);
        Assert.Equal(Errno.EINVAL, vm.Vm.ClearDirtyLog(TestVm.Slot, 64, 35, [ulong.MaxValue]));
        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 64, 36, [ulong.MaxValue]));
        Assert.Empty(vm.DirtyPages());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_write_after_a_read_of_the_log_is_logged_again(string kind)
    {
        using var vm = new TestVm(PolicyOf(kind), Log);
        vm.Write(3);
        vm.Write(700);
        Assert.Equal([3UL, 700UL], vm.GetDirtyLog());
        Assert.Empty(vm.GetDirtyLog());
        vm.Read(3);
        Assert.Empty(vm.GetDirtyLog());
        vm.Write(3);
        vm.Write(3);
        Assert.Equal([3UL], vm.GetDirtyLog());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void With_manual_protection_reading_changes_nothing(string kind)
    {
        using var vm = new TestVm(PolicyOf(kind) with { DirtyLogProtect = DirtyLogProtect.Manual }, Log);
        vm.Write(3);
        vm.Write(4);
        Assert.Equal([3UL, 4UL], vm.GetDirtyLog());
        Assert.Equal([3UL, 4UL], vm.GetDirtyLog());
        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 0, 64, [1UL << 3]));
        Assert.Equal([4UL], vm.GetDirtyLog());
        vm.Write(3);
        Assert.Equal([3UL, 4UL], vm.GetDirtyLog());
    }

    [Fact]
    public void Clearing_works_without_manual_protection_too()
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        vm.Write(3);
        vm.Write(4);
        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 0, 64, [1UL << 3]));
        Assert.Equal([4UL], vm.GetDirtyLog());
    }

    [Fact]
    public void Bits_that_are_not_dirty_protect_nothing()
    {
        using var vm = new TestVm(Manual, Log);
        vm.Write(3);
        Assert.Equal(Errno.None, vm.Core.ClearDirtyLog(0, 64, [~(1UL << 3)], out var flush));
        Assert.True(flush.IsEmpty);
        Assert.True(vm.Leaf(3).Permits(Access.Write));
        Assert.Equal(Errno.None, vm.Core.ClearDirtyLog(0, 64, [ulong.MaxValue], out flush));
        Assert.Equal(new GfnRange(TestVm.Base.Plus(3), 1), flush);
        Assert.False(vm.Leaf(3).Permits(Access.Write));
    }

    [Fact]
    public void All_pages_are_dirty_from_the_start_and_protected_piece_by_piece()
    {
        using var vm = new TestVm(AllDirty);
        vm.Write(3);
        vm.SetFlags(Log);
        Assert.Equal(TestVm.Pages, (ulong)vm.GetDirtyLog().Length);
        Assert.Equal(PageLevel.Size2M, vm.Leaf(3).Level);

        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 0, 64, [ulong.MaxValue]));

        Assert.Equal(TestVm.Pages - 64, (ulong)vm.GetDirtyLog().Length);
        Assert.Equal((512L, 0L), (vm.Mapped.Leaves4K, vm.Mapped.Leaves2M));
        Assert.False(vm.Leaf(3).Permits(Access.Write));
        Assert.True(vm.Leaf(64).Permits(Access.Write));
        vm.Write(3);
        Assert.Contains(3UL, vm.GetDirtyLog());
    }

    /// <summary>
    /// x86 protects huge leaves only while logs start all dirty. Turned off later, only 4 KiB leaves are protected.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_huge_leaf_stays_unlogged_if_initially_set_is_turned_off(bool isHardware)
    {
        using var vm = new TestVm(AllDirty with { UsesHardwareDirtyLog = isHardware });
        vm.Write(3);
        vm.Write(600);
        vm.SetFlags(Log);
        // Still all dirty from the start: the second block is split and its first pages protected.
        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 576, 64, [ulong.MaxValue]));
        Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, 0, 0));
        Assert.Equal(TestVm.Pages - 64, (ulong)vm.GetDirtyLog().Length);
        Assert.Equal((PageLevel.Size2M, PageLevel.Size4K), (vm.Leaf(3).Level, vm.Leaf(600).Level));
        Assert.True(vm.Leaf(3).Permits(Access.Write));

        vm.Write(3);
        vm.Write(600);

        Assert.Equal([600UL], vm.GetDirtyLog());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_policy_that_protects_huge_leaves_on_every_clear_logs_it(bool isHardware)
    {
        var policy = AllDirty with { UsesHardwareDirtyLog = isHardware, ProtectsHugeLeavesOnClear = true };
        using var vm = new TestVm(policy);
        vm.Write(3);
        vm.SetFlags(Log);
        Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, 0, 0));
        Assert.Equal(TestVm.Pages, (ulong)vm.GetDirtyLog().Length);
        vm.Write(3);
        Assert.Equal([3UL], vm.GetDirtyLog());
    }

    [Fact]
    public void On_arm64_it_is_protected_and_logged()
    {
        using var vm = new TestVm(MmuPolicy.Arm64 with { DirtyLogProtect = AllDirty.DirtyLogProtect });
        vm.Write(3);
        vm.SetFlags(Log);
        Assert.Equal(Errno.None, vm.Vm.EnableCap(VmCapability.ManualDirtyLogProtect2, 0, 0));
        Assert.Equal(TestVm.Pages, (ulong)vm.GetDirtyLog().Length);
        vm.Write(3);
        Assert.Equal([3UL], vm.GetDirtyLog());
    }

    [Fact]
    public void On_arm64_a_clear_protects_all_between_its_first_and_last_bit()
    {
        using var vm = new TestVm(MmuPolicy.Arm64 with { DirtyLogProtect = DirtyLogProtect.Manual }, Log);
        for (var page = 1UL; page <= 5; page++)
            vm.Write(page);
        Assert.Equal(Errno.None, vm.Vm.ClearDirtyLog(TestVm.Slot, 0, 64, [1UL << 2 | 1UL << 4]));
        Assert.Equal(
            [true, false, false, false, true],
            new ulong[] { 1, 2, 3, 4, 5 }.Select(page => vm.Leaf(page).Permits(Access.Write))
        );
        Assert.Equal([1UL, 3UL, 5UL], vm.GetDirtyLog());
    }

    [Fact]
    public void Hardware_bits_protect_no_small_page()
    {
        using var vm = new TestVm(Hardware, Log);
        vm.Write(3);
        Assert.Equal([3UL], vm.GetDirtyLog());
        Assert.True(vm.Leaf(3).Permits(Access.Write));
        Assert.False(vm.Leaf(3).IsDirty);
        var result = vm.Write(3);
        Assert.Equal((0, true), (result.Faults, result.IsCompleted));
        Assert.True(vm.Leaf(3).IsDirty);
        Assert.Equal([3UL], vm.GetDirtyLog());
    }

    [Fact]
    public void A_slot_that_is_moved_keeps_its_log_and_loses_its_mappings()
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        vm.Write(3);
        var region = vm.Region(Log);
        region.GuestPhysicalAddress += region.MemorySize;
        Assert.Equal(Errno.None, vm.Vm.SetUserMemoryRegion2(region));
        Assert.Equal(0, vm.Mapped.MappedPages);
        Assert.Equal([3UL], vm.GetDirtyLog());
        Assert.Equal(AccessResult.MmioExit, vm.Write(3).ExitReason);
    }

    [Fact]
    public void A_log_that_was_off_begins_empty()
    {
        using var vm = new TestVm(MmuPolicy.X86, Log);
        vm.Write(3);
        vm.SetFlags(MemslotFlags.None);
        Assert.Null(vm.Core.DirtyBitmap);
        vm.SetFlags(Log);
        Assert.Empty(vm.GetDirtyLog());
        vm.Write(3);
        Assert.Equal([3UL], vm.GetDirtyLog());
    }

    [Fact]
    public void The_vmms_own_writes_are_logged_where_it_says_so()
    {
        using var vm = new TestVm(MmuPolicy.X86, Log | MemslotFlags.Userfault);
        vm.Bitmap.Set(9);
        vm.Core.MarkDirty(TestVm.Base.Plus(9)); // a device model: it does not look at the bitmap
        Assert.Equal([9UL], vm.GetDirtyLog());
    }

    private static MmuPolicy PolicyOf(string kind) =>
        kind switch
        {
            "x86" => MmuPolicy.X86,
            "x86 hardware" => Hardware,
            _ => MmuPolicy.Arm64,
        };
}
