namespace Userfault.Mmu.Tests.Tables;

public class GeometryTests
{
    // arm64's start level is 4 minus ours of the root: 1 GiB is start level 1, 512 GiB start level 0.
    [Theory]
    [InlineData(Architecture.X86, 36, PageLevel.Size512G, 1, 1)]
    [InlineData(Architecture.X86, 40, PageLevel.Size512G, 1, 2)]
    [InlineData(Architecture.X86, 48, PageLevel.Size512G, 1, 512)]
    [InlineData(Architecture.X86, 49, PageLevel.Size256T, 1, 2)]
    [InlineData(Architecture.X86, 52, PageLevel.Size256T, 1, 16)]
    [InlineData(Architecture.X86, 57, PageLevel.Size256T, 1, 512)]
    [InlineData(Architecture.Arm64, 32, PageLevel.Size2M, 4, 2048)]
    [InlineData(Architecture.Arm64, 34, PageLevel.Size2M, 16, 8192)]
    [InlineData(Architecture.Arm64, 35, PageLevel.Size1G, 1, 32)]
    [InlineData(Architecture.Arm64, 36, PageLevel.Size1G, 1, 64)]
    [InlineData(Architecture.Arm64, 39, PageLevel.Size1G, 1, 512)]
    [InlineData(Architecture.Arm64, 40, PageLevel.Size1G, 2, 1024)]
    [InlineData(Architecture.Arm64, 41, PageLevel.Size1G, 4, 2048)]
    [InlineData(Architecture.Arm64, 42, PageLevel.Size1G, 8, 4096)]
    [InlineData(Architecture.Arm64, 43, PageLevel.Size1G, 16, 8192)]
    [InlineData(Architecture.Arm64, 44, PageLevel.Size512G, 1, 32)]
    [InlineData(Architecture.Arm64, 48, PageLevel.Size512G, 1, 512)]
    public void Root_follows_from_the_address_width(
        Architecture architecture,
        int bits,
        PageLevel root,
        int tables,
        int entries
    )
    {
        using var table = SecondStageTable.Create(architecture, bits);
        Assert.Equal(new TableGeometry(bits, root, tables), table.Geometry);
        Assert.Equal(entries, table.Geometry.RootEntries);
        Assert.Equal(tables, table.Counters.TablePages);
        Assert.Equal(0UL, table.RootAddress % ((ulong)tables * Page.Size));
    }

    [Theory]
    [InlineData(Architecture.X86, 31)]
    [InlineData(Architecture.X86, 58)]
    [InlineData(Architecture.Arm64, 31)]
    [InlineData(Architecture.Arm64, 49)]
    public void Other_widths_are_refused(Architecture architecture, int bits) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => SecondStageTable.Create(architecture, bits));

    [Theory]
    [InlineData(Architecture.X86, 48)]
    [InlineData(Architecture.X86, 57)]
    [InlineData(Architecture.Arm64, 34)]
    [InlineData(Architecture.Arm64, 36)]
    [InlineData(Architecture.Arm64, 40)]
    [InlineData(Architecture.Arm64, 43)]
    [InlineData(Architecture.Arm64, 44)]
    public void First_and_last_page_of_the_width_can_be_mapped_and_no_further(Architecture architecture, int bits)
    {
        using var table = SecondStageTable.Create(architecture, bits);
        var last = new Gfn((1UL << (bits - 12)) - 1);
        var largest = table.Geometry.LargestLeaf;
        Assert.Equal(TableChange.Installed, table.Map(new Gfn(0), new Pfn(7), Access.Read, PageLevel.Size4K).Change);
        Assert.Equal(TableChange.Installed, table.Map(last, new Pfn(9), Access.Read, PageLevel.Size4K).Change);
        Assert.Equal(new Pfn(7), table.Walk(new Gfn(0)).Pfn);
        Assert.Equal(new Pfn(9), table.Walk(last).Pfn);
        Assert.False(table.Walk(last.Plus(1)).IsPresent);
        Assert.False(table.Walk(new Gfn(ulong.MaxValue)).IsPresent);
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            table.Map(last.Plus(1), new Pfn(9), Access.Read, PageLevel.Size4K)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() => table.Map(new Gfn(0), new Pfn(0), Access.Read, largest + 1));
    }
}
