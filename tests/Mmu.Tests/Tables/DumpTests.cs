namespace Userfault.Mmu.Tests.Tables;

public class DumpTests
{
    private const Access R = Access.Read;
    private const Access RW = Access.Read | Access.Write;
    private const Access RWX = Access.Read | Access.Write | Access.Execute;

    [Fact]
    public void Ept()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 48);
        Map(table, 0, 0x1000, RWX, PageLevel.Size4K);
        Map(table, 1, 0x1001, RWX, PageLevel.Size4K);
        Map(table, 2, 0x2000, RWX, PageLevel.Size4K);
        Map(table, 4, 0x2002, R, PageLevel.Size4K);
        Map(table, 0x200, 0x4000, RW, PageLevel.Size2M);
        Map(table, 0x40000, 0x80000, RWX, PageLevel.Size1G);
        Assert.True(table.TryAccess(new Gfn(1), Access.Write, out _));
        table.WriteProtect(new Gfn(2), 1);
        Check(
            table,
            """
            ---[ EPT, 48 bits, 4 levels ]---
            0x0000000000000000-0x0000000000001000           4K pte R W x  WB            -> 0x1000000
            0x0000000000001000-0x0000000000002000           4K pte R W x  WB     A D    -> 0x1001000
            0x0000000000002000-0x0000000000003000           4K pte R   x  WB         WP -> 0x2000000
            0x0000000000003000-0x0000000000004000           4K pte
            0x0000000000004000-0x0000000000005000           4K pte R   NX WB            -> 0x2002000
            0x0000000000005000-0x0000000000200000        2028K pte
            0x0000000000200000-0x0000000000400000           2M pmd R W NX WB PSE        -> 0x4000000
            0x0000000000400000-0x0000000040000000        1020M pmd
            0x0000000040000000-0x0000000080000000           1G pud R W x  WB PSE        -> 0x80000000
            0x0000000080000000-0x0000008000000000         510G pud
            0x0000008000000000-0x0001000000000000      261632G p4d
            ---[ leaves 4K 4, 2M 1, 1G 1; tables 4 ]---

            """
        );
    }

    [Fact]
    public void Stage_2()
    {
        using var table = SecondStageTable.Create(Architecture.Arm64, 40);
        Map(table, 0, 0x1000, RW, PageLevel.Size4K);
        Map(table, 1, 0x1001, RW, PageLevel.Size4K);
        Map(table, 2, 0x1002, RWX, PageLevel.Size4K);
        Map(table, 0x200, 0x4000, RW, PageLevel.Size2M);
        Map(table, 0x400, 0x4200, RW, PageLevel.Size2M);
        Map(table, 0x8000000, 0x80000, R, PageLevel.Size1G);
        Assert.Equal(1UL, table.TestAndClearDirty(new Gfn(2), 1));
        Assert.Equal(TableChange.Broken, table.SplitLeaf(new Gfn(0x400)).Change);
        Check(
            table,
            """
            ---[ arm64 stage 2, 40 bits, 3 levels, 2 root tables ]---
            0x0000000000000000-0x0000000000002000           8K 3   R W PXNUXN AF            -> 0x1000000
            0x0000000000002000-0x0000000000003000           4K 3   R   px ux  AF     DBM    -> 0x1002000
            0x0000000000003000-0x0000000000200000        2036K 3
            0x0000000000200000-0x0000000000400000           2M 2   R W PXNUXN AF BLK        -> 0x4000000
            0x0000000000400000-0x0000000000600000           2M 2 F R W PXNUXN AF BLK        -> 0x4200000
            0x0000000000600000-0x0000000040000000        1018M 2
            0x0000000040000000-0x0000008000000000         511G 1
            0x0000008000000000-0x0000008040000000           1G 1   R   PXNUXN AF BLK        -> 0x80000000
            0x0000008040000000-0x0000010000000000         511G 1
            ---[ leaves 4K 3, 2M 1, 1G 1; tables 4 ]---

            """
        );
    }

    [Fact]
    public void Nothing_mapped_is_one_hole()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 57);
        Check(
            table,
            """
            ---[ EPT, 57 bits, 5 levels ]---
            0x0000000000000000-0x0200000000000000         128P pgd
            ---[ leaves 4K 0, 2M 0, 1G 0; tables 1 ]---

            """
        );
    }

    private static void Map(SecondStageTable table, ulong gfn, ulong pfn, Access access, PageLevel level) =>
        Assert.Equal(TableChange.Installed, table.Map(new Gfn(gfn), new Pfn(pfn), access, level).Change);

    private static void Check(SecondStageTable table, string golden)
    {
        using var writer = new StringWriter { NewLine = "\n" };
        table.Dump(writer);
        Assert.Equal(golden, writer.ToString());
    }
}
