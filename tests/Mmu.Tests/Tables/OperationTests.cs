namespace Userfault.Mmu.Tests.Tables;

// One operation at a time, with what it answers, what must be flushed, and the order that break-before-make shows.
public class OperationTests
{
    private const Access R = Access.Read;
    private const Access RW = Access.Read | Access.Write;
    private static readonly GfnRange Second2M = new(new Gfn(0x200), 512);

    [Theory]
    [InlineData(Architecture.X86, 0x7, 0x0000000001234033UL)]
    [InlineData(Architecture.Arm64, 0x3, 0x00400000012347ffUL)]
    public unsafe void Entries_lie_in_native_memory_where_hardware_looks(
        Architecture architecture,
        ulong tableBits,
        ulong leaf
    )
    {
        using var table = SecondStageTable.Create(architecture, 48);
        // gpa 0x8080_8070_4000: indices 0x101, 0x2, 0x3, 0x104 by hand, nine bits each from bit 39 down.
        table.Map(new Gfn(0x8080_8070_4000 >> 12), new Pfn(0x1234), RW, PageLevel.Size4K);
        var address = table.RootAddress;
        foreach (var index in new[] { 0x101, 0x2, 0x3 })
        {
            var entry = ((ulong*)address)[index];
            Assert.Equal(tableBits, entry & 0xfff);
            Assert.Equal(0UL, entry >> 48);
            address = entry & ~0xfffUL;
        }
        Assert.Equal($"{leaf:x16}", $"{((ulong*)address)[0x104]:x16}");
        Assert.Equal(0UL, ((ulong*)address)[0x105]);
    }

    [Fact]
    public unsafe void Concatenated_root_tables_are_one_array()
    {
        using var table = SecondStageTable.Create(Architecture.Arm64, 40);
        table.Map(new Gfn(0x80_4000_0000 >> 12), new Pfn(0x40000), RW, PageLevel.Size1G);
        // 513 GiB: entry 1 of the second root table, which starts a page behind the first.
        Assert.Equal(0x00400000400007fdUL, ((ulong*)(table.RootAddress + 4096))[1]);
    }

    [Fact]
    public void X86_puts_a_leaf_over_a_table_at_once_and_flushes_behind()
    {
        using var table = WithPage(Architecture.X86);
        Assert.Equal(new ChangeResult(TableChange.Replaced, Second2M), MapLarge(table));
        Assert.Equal(PageLevel.Size2M, table.Walk(new Gfn(0x205)).Level);
    }

    [Fact]
    public void Arm64_breaks_flushes_and_makes()
    {
        using var table = WithPage(Architecture.Arm64);
        using var reader = table.Readers.Add();
        reader.Enter();
        Assert.Equal(new ChangeResult(TableChange.Broken, Second2M), MapLarge(table));
        Assert.Equal(0UL, table.Walk(new Gfn(0x205)).Pte);
        // The table is out of use and waits for the reader.
        Assert.Equal(1, table.Counters.RetiredPages);
        Assert.Equal(new ChangeResult(TableChange.Installed, default), MapLarge(table));
        Assert.Equal(PageLevel.Size2M, table.Walk(new Gfn(0x205)).Level);
        reader.Exit();
        Assert.Equal(0, table.Reclaim());
    }

    [Fact]
    public void A_small_page_in_a_large_leaf()
    {
        // x86 splits and keeps the rest, arm64 removes the block and maps the page alone.
        using var x86 = SecondStageTable.Create(Architecture.X86, 48);
        MapLarge(x86);
        x86.WriteProtect(new Gfn(0x200), 1);
        Assert.Equal(TableChange.Relaxed, x86.Map(new Gfn(0x205), new Pfn(0x405), RW, PageLevel.Size4K).Change);
        Assert.Equal(512, x86.Counters.Leaves4K);
        Assert.Equal(R, x86.Walk(new Gfn(0x206)).Access);

        using var arm = SecondStageTable.Create(Architecture.Arm64, 48);
        MapLarge(arm);
        arm.WriteProtect(new Gfn(0x200), 1);
        var page = () => arm.Map(new Gfn(0x205), new Pfn(0x405), RW, PageLevel.Size4K);
        Assert.Equal(new ChangeResult(TableChange.Broken, Second2M), page());
        Assert.Equal(new ChangeResult(TableChange.Installed, default), page());
        Assert.Equal(1, arm.Counters.Leaves4K);
        Assert.False(arm.Walk(new Gfn(0x206)).IsPresent);
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void What_is_mapped_already_is_spurious(Architecture architecture)
    {
        using var table = SecondStageTable.Create(architecture, 48);
        MapLarge(table);
        Assert.Equal(TableChange.None, MapLarge(table).Change);
        Assert.Equal(TableChange.None, table.Map(new Gfn(0x205), new Pfn(0x405), R, PageLevel.Size4K).Change);
        Assert.Equal(1, table.Counters.Leaves2M);
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void Split_and_collapse_are_inverse(Architecture architecture)
    {
        using var table = SecondStageTable.Create(architecture, 48);
        MapLarge(table);
        table.TryAccess(new Gfn(0x200), Access.Write, out var before);
        var isArm = table.NeedsBreakBeforeMake;
        var first = isArm ? TableChange.Broken : TableChange.Replaced;
        var second = isArm ? TableChange.Replaced : TableChange.None;
        Assert.Equal(new ChangeResult(first, isArm ? Second2M : default), table.SplitLeaf(new Gfn(0x2ff)));
        Assert.Equal(second, table.SplitLeaf(new Gfn(0x2ff)).Change);
        Assert.Equal(new Pfn(0x4ff), table.Walk(new Gfn(0x2ff)).Pfn);
        Assert.Equal(new ChangeResult(first, Second2M), table.Collapse(new Gfn(0x2ff), PageLevel.Size2M));
        Assert.Equal(second, table.Collapse(new Gfn(0x200), PageLevel.Size2M).Change);
        Assert.Equal(before, table.Walk(new Gfn(0x200)));
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_table_is_dropped_where_one_leaf_could_stand_and_kept_elsewhere(Architecture architecture)
    {
        using var table = WithPage(architecture);
        table.Map(new Gfn(0x403), new Pfn(0x403), RW, PageLevel.Size4K);
        table.Map(new Gfn(0x600), new Pfn(0x600), RW, PageLevel.Size2M);
        var cursor = new RangeCursor(new GfnRange(new Gfn(0x200), 0x600));
        var result = table.DropTables(ref cursor, 1000, new LargeBelow(0x400));
        Assert.Equal(new BatchResult(1, Second2M), result);
        Assert.True(cursor.IsDone);
        Assert.Equal(
            (false, true, true),
            (
                table.Walk(new Gfn(0x205)).IsPresent,
                table.Walk(new Gfn(0x403)).IsPresent,
                table.Walk(new Gfn(0x600)).IsPresent
            )
        );
    }

    /// <summary>The kernel copies the first leaf that is there, whatever the others are.</summary>
    [Theory]
    [InlineData(0x201UL, false)]
    [InlineData(0x206UL, true)]
    public void The_first_leaf_decides_whether_the_collapsed_one_is_protected(ulong isProtected, bool permitsWrite)
    {
        using var table = SecondStageTable.Create(Architecture.X86, 48);
        foreach (var gfn in new[] { 0x201UL, 0x206UL })
            table.Map(new Gfn(gfn), new Pfn(gfn + 0x200), RW, PageLevel.Size4K);
        table.WriteProtect(new Gfn(isProtected), 1);
        Assert.Equal(TableChange.Replaced, table.Collapse(new Gfn(0x200), PageLevel.Size2M).Change);
        var leaf = table.Walk(new Gfn(0x3ff));
        Assert.Equal((permitsWrite, !permitsWrite), (leaf.Permits(Access.Write), leaf.IsWriteProtected));
    }

    [Fact]
    public void A_mask_can_leave_large_leaves_writable()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 48);
        MapLarge(table);
        table.Map(new Gfn(0x1ff), new Pfn(0x1ff), RW, PageLevel.Size4K);
        var result = table.WriteProtect(new Gfn(0x1ff), 0b11, PageLevel.Size4K);
        Assert.Equal(new BatchResult(1, new GfnRange(new Gfn(0x1ff), 1)), result);
        Assert.True(table.Walk(new Gfn(0x200)).Permits(Access.Write));
    }

    [Theory]
    [InlineData(0x201UL, 0x400UL, RW, PageLevel.Size2M)]
    [InlineData(0x200UL, 0x401UL, RW, PageLevel.Size2M)]
    [InlineData(0x200UL, 0x400UL, RW, PageLevel.Size1G)]
    [InlineData(0x200UL, 0x400UL, RW, PageLevel.Size512G)]
    [InlineData(0x200UL, 0x400UL, RW, (PageLevel)0)]
    [InlineData(0x200UL, 0x400UL, Access.None, PageLevel.Size4K)]
    [InlineData(0x200UL, 0x400UL, Access.Write, PageLevel.Size4K)]
    [InlineData(0x200UL, 0x400UL, (Access)9, PageLevel.Size4K)]
    [InlineData(1UL << 36, 0x400UL, RW, PageLevel.Size4K)]
    [InlineData(0x200UL, 1UL << 40, RW, PageLevel.Size4K)]
    public void Impossible_mappings_throw_and_change_nothing(ulong gfn, ulong pfn, Access access, PageLevel level)
    {
        foreach (var architecture in Enum.GetValues<Architecture>())
        {
            using var table = SecondStageTable.Create(architecture, 48);
            Assert.ThrowsAny<ArgumentException>(() => table.Map(new Gfn(gfn), new Pfn(pfn), access, level));
            Assert.Equal(1, table.Counters.TablePages);
        }
    }

    [Fact]
    public void A_visitor_can_pass_over_a_table_and_can_end_the_walk()
    {
        using var table = WithPage(Architecture.X86);
        table.Map(new Gfn(0x40000), new Pfn(0x40000), R, PageLevel.Size4K);
        var skipping = new SkippingVisitor { SkipFirst2M = true, StopAt = 2 };
        table.Visit(new GfnRange(new Gfn(0), 1UL << 36), ref skipping);
        Assert.Equal([0x40000UL], skipping.Seen);
        var ending = new SkippingVisitor { StopAt = 1 };
        table.Visit(new GfnRange(new Gfn(0), 1UL << 36), ref ending);
        Assert.Equal([0x205UL], ending.Seen);
    }

    private static SecondStageTable WithPage(Architecture architecture)
    {
        var table = SecondStageTable.Create(architecture, 48);
        table.Map(new Gfn(0x205), new Pfn(0x9999), RW, PageLevel.Size4K);
        return table;
    }

    private static ChangeResult MapLarge(SecondStageTable table) =>
        table.Map(new Gfn(0x200), new Pfn(0x400), RW, PageLevel.Size2M);

    private sealed class LargeBelow(ulong end) : IMappingLevels
    {
        public PageLevel MaxMappingLevel(Gfn gfn) => gfn.Value < end ? PageLevel.Size2M : PageLevel.Size4K;
    }

    private struct SkippingVisitor() : ITableVisitor
    {
        public List<ulong> Seen = [];
        public bool SkipFirst2M;
        public int StopAt;

        public readonly bool EnterTable(Gfn start, PageLevel level, ulong pte) =>
            !(SkipFirst2M && level == PageLevel.Size2M && start.Value == 0x200);

        public readonly bool Leaf(Gfn start, in WalkResult leaf)
        {
            Seen.Add(start.Value);
            return Seen.Count < StopAt;
        }
    }
}
