namespace Userfault.Mmu.Tests.Tables;

// Entries against values written by hand from the bit diagrams of Intel's SDM (28.3.2) and the Arm ARM (D8.3).
public class FormatTests
{
    private const Access R = Access.Read;
    private const Access W = Access.Write;
    private const Access X = Access.Execute;

    public static TheoryData<ulong, Access, PageLevel, ulong> EptLeaves =>
        new()
        {
            { 0x1234, R | W, PageLevel.Size4K, 0x0000000001234033 },
            { 0x1234, R, PageLevel.Size4K, 0x0000000001234031 },
            { 0x1234, R | X, PageLevel.Size4K, 0x0000000001234035 },
            { 0x1234, R | W | X, PageLevel.Size4K, 0x0000000001234037 },
            { 0, R | W, PageLevel.Size4K, 0x0000000000000033 },
            { 0xff_ffff_ffff, R | W, PageLevel.Size4K, 0x000ffffffffff033 },
            { 0x1200, R | W, PageLevel.Size2M, 0x00000000012000b3 },
            { 0x1200, R | W | X, PageLevel.Size2M, 0x00000000012000b7 },
            { 0x40000, R | W, PageLevel.Size1G, 0x00000000400000b3 },
            { 0xff_fffc_0000, R, PageLevel.Size1G, 0x000fffffc00000b1 },
        };

    public static TheoryData<ulong, Access, PageLevel, ulong> Stage2Leaves =>
        new()
        {
            { 0x1234, R | W, PageLevel.Size4K, 0x00400000012347ff },
            { 0x1234, R, PageLevel.Size4K, 0x004000000123477f },
            { 0x1234, R | X, PageLevel.Size4K, 0x000000000123477f },
            { 0x1234, R | W | X, PageLevel.Size4K, 0x00000000012347ff },
            { 0, R | W, PageLevel.Size4K, 0x00400000000007ff },
            { 0xf_ffff_ffff, R | W, PageLevel.Size4K, 0x0040fffffffff7ff },
            { 0x1200, R | W, PageLevel.Size2M, 0x00400000012007fd },
            { 0x1200, R | X, PageLevel.Size2M, 0x000000000120077d },
            { 0x40000, R | W, PageLevel.Size1G, 0x00400000400007fd },
            { 0xf_fffc_0000, R, PageLevel.Size1G, 0x0040ffffc000077d },
        };

    [Theory]
    [MemberData(nameof(EptLeaves))]
    public void Ept_leaf(ulong pfn, Access access, PageLevel level, ulong golden) =>
        CheckLeaf<EptFormat>(pfn, access, level, golden);

    [Theory]
    [MemberData(nameof(Stage2Leaves))]
    public void Stage_2_leaf(ulong pfn, Access access, PageLevel level, ulong golden) =>
        CheckLeaf<Stage2Format>(pfn, access, level, golden);

    [Fact]
    public void Entries_that_lead_to_tables()
    {
        CheckTable<EptFormat>(0x0000_7f12_3456_7000, 0x00007f1234567007);
        CheckTable<EptFormat>(0x0000_ffff_ffff_f000, 0x0000fffffffff007);
        CheckTable<Stage2Format>(0x0000_7f12_3456_7000, 0x00007f1234567003);
        CheckTable<Stage2Format>(0x0000_ffff_ffff_f000, 0x0000fffffffff003);
    }

    [Fact]
    public void Ept_accessed_and_dirty()
    {
        Assert.Equal(0x1234133UL, EptFormat.Touch(0x1234033, R));
        Assert.Equal(0x1234333UL, EptFormat.Touch(0x1234033, W));
        Assert.Equal(0x1234333UL, EptFormat.Touch(0x1234133, R | W));
        Assert.Equal(0x1234233UL, EptFormat.ClearAccessed(0x1234333));
        Assert.Equal(0x1234133UL, EptFormat.ClearDirty(0x1234333));
        Assert.False(EptFormat.IsDirty(0x1234033));
        Assert.False(EptFormat.IsAccessed(0x1234233));
        Assert.True(EptFormat.IsDirty(0x1234233));
        Assert.True(EptFormat.IsAccessed(0x1234133));
    }

    [Fact]
    public void Ept_write_protection_remembers_and_keeps_the_dirty_bit()
    {
        Assert.Equal(0x0400000001234331UL, EptFormat.WriteProtect(0x1234333));
        Assert.Equal(0x04000000012000b1UL, EptFormat.WriteProtect(0x12000b3));
        Assert.Equal(0x1234031UL, EptFormat.WriteProtect(0x1234031));
        Assert.Equal(0x1234333UL, EptFormat.Relax(0x0400000001234331, W));
        Assert.Equal(0x0400000001234035UL, EptFormat.Relax(0x0400000001234031, R | X));
        Assert.True(EptFormat.IsWriteProtected(0x0400000001234031));
        Assert.False(EptFormat.IsWriteProtected(0x1234031));
    }

    [Fact]
    public void Stage_2_access_flag_and_dirty_state()
    {
        Assert.Equal(0x00400000012343ffUL, Stage2Format.ClearAccessed(0x00400000012347ff));
        Assert.Equal(0x00400000012347ffUL, Stage2Format.Touch(0x00400000012343ff, R));
        // Writable without DBM: dirty. Clean: DBM set, S2AP write clear, and still writable.
        Assert.True(Stage2Format.IsDirty(0x00400000012347ff));
        Assert.Equal(0x004800000123477fUL, Stage2Format.ClearDirty(0x00400000012347ff));
        Assert.False(Stage2Format.IsDirty(0x004800000123477f));
        Assert.Equal(R | W, Stage2Format.AccessOf(0x004800000123477f));
        Assert.Equal(0x00480000012347ffUL, Stage2Format.Touch(0x004800000123477f, W));
        Assert.Equal(0x004000000123477fUL, Stage2Format.ClearDirty(0x004000000123477f));
    }

    [Fact]
    public void Stage_2_write_protection_remembers()
    {
        Assert.Equal(0x00c000000123477fUL, Stage2Format.WriteProtect(0x00400000012347ff));
        Assert.Equal(0x00c000000123477fUL, Stage2Format.WriteProtect(0x004800000123477f));
        Assert.Equal(0x004000000123477fUL, Stage2Format.WriteProtect(0x004000000123477f));
        Assert.Equal(0x00400000012347ffUL, Stage2Format.Relax(0x00c000000123477f, W));
        Assert.Equal(0x000000000123477fUL, Stage2Format.Relax(0x004000000123477f, X));
        Assert.Equal(R, Stage2Format.AccessOf(0x00c000000123477f));
    }

    [Fact]
    public void Parts_of_a_split_leaf()
    {
        Assert.Equal(0x0000000001205333UL, EptFormat.SplitChild(0x12003b3, PageLevel.Size2M, 5));
        Assert.Equal(0x00000000013ff033UL, EptFormat.SplitChild(0x12000b3, PageLevel.Size2M, 511));
        Assert.Equal(0x00000000406000b3UL, EptFormat.SplitChild(0x400000b3, PageLevel.Size1G, 3));
        Assert.Equal(0x04000000012050b1UL & ~0x80UL, EptFormat.SplitChild(0x04000000012000b1, PageLevel.Size2M, 5));
        Assert.Equal(0x00400000012057ffUL, Stage2Format.SplitChild(0x00400000012007fd, PageLevel.Size2M, 5));
        Assert.Equal(0x00400000406007fdUL, Stage2Format.SplitChild(0x00400000400007fd, PageLevel.Size1G, 3));
    }

    [Fact]
    public void A_broken_block_is_invisible_and_still_says_what_it_was()
    {
        Assert.Equal(0x00400000012007fcUL, Stage2Format.Break(0x00400000012007fd));
        Assert.Equal(0x00400000012007fdUL, Stage2Format.Unbreak(0x00400000012007fc));
        Assert.Equal(PteKind.Broken, Stage2Format.Classify(0x00400000012007fc, PageLevel.Size2M));
        Assert.Throws<NotSupportedException>(() => EptFormat.Break(0x12000b3));
    }

    [Fact]
    public void Nothing_is_empty()
    {
        for (var level = PageLevel.Size4K; level <= PageLevel.Size256T; level++)
        {
            Assert.Equal(PteKind.Empty, EptFormat.Classify(0, level));
            Assert.Equal(PteKind.Empty, Stage2Format.Classify(0, level));
        }
    }

    private static void CheckLeaf<TFormat>(ulong pfn, Access access, PageLevel level, ulong golden)
        where TFormat : struct, IPteFormat
    {
        Assert.Equal($"{golden:x16}", $"{TFormat.MakeLeaf(new Pfn(pfn), access, level):x16}");
        Assert.Equal(PteKind.Leaf, TFormat.Classify(golden, level));
        Assert.Equal(new Pfn(pfn), TFormat.FrameOf(golden));
        Assert.Equal(access, TFormat.AccessOf(golden));
        Assert.False(TFormat.IsWriteProtected(golden));
    }

    private static void CheckTable<TFormat>(ulong address, ulong golden)
        where TFormat : struct, IPteFormat
    {
        Assert.Equal($"{golden:x16}", $"{TFormat.MakeTable(address):x16}");
        Assert.Equal(address, TFormat.TableOf(golden));
        Assert.True(TFormat.IsTable(golden));
        for (var level = PageLevel.Size2M; level <= PageLevel.Size256T; level++)
        {
            Assert.Equal(PteKind.Table, TFormat.Classify(golden, level));
        }
    }
}
