namespace Userfault.Mmu.Tests.Tables;

// Readers walk while the writer maps, zaps, splits and collapses under them. Frames are the gfn plus one of two
// constants, so that a reader can tell a mapping, old or new, from garbage; freed pages are poisoned at once.
public class RaceTests
{
    private const int Writes = 40_000;
    private const long WalksPerReader = 40_000;

    [Theory]
    [InlineData(Architecture.X86, 48)]
    [InlineData(Architecture.Arm64, 40)]
    public void Readers_see_the_old_or_the_new_mapping(Architecture architecture, int bits)
    {
        using var table = SecondStageTable.Create(architecture, bits, new TableOptions { PoisonFreedPages = true });
        var readers = new RaceReader[2];
        for (var i = 0; i < readers.Length; i++)
        {
            readers[i] = new RaceReader(table, seed: 100 + i);
            readers[i].Start();
        }
        var writer = new RaceWriter(table, seed: 99);
        writer.MapStable();
        Array.ForEach(readers, reader => reader.ExpectStable());
        // Long enough for every reader to have been in the thick of it, however slow the machine.
        for (var i = 0; i < Writes || Array.Exists(readers, reader => reader.IsBelow(WalksPerReader)); i++)
        {
            writer.Step();
        }
        Array.ForEach(readers, reader => reader.Stop());
        foreach (var reader in readers)
        {
            Assert.Null(reader.Failure);
            Assert.True(reader.Present > WalksPerReader / 100, $"{reader.Present} of {reader.Walks} walks met a leaf");
        }
        writer.ZapAll();
        Assert.Equal(0, table.Reclaim());
        Assert.Equal(0, table.Counters.MappedPages);
        Assert.Equal(table.Geometry.RootTables, table.Counters.TablePages);
        // Poison is checked when a page is taken again: take them all.
        writer.MapStable();
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_write_that_races_with_a_split_stays_dirty(Architecture architecture)
    {
        const int leaves = 2000;
        using var table = CleanLeaves(architecture, leaves);
        var vcpu = new RaceDirtier(table, leaves);
        vcpu.Start();
        for (var i = 0; i < leaves; i++)
        {
            // The vCPU follows to this leaf and writes to it while it is being split.
            vcpu.Current = i;
            while (table.SplitLeaf(new Gfn((ulong)i << 9)).Change == TableChange.Broken) { }
            vcpu.AwaitWriteTo(i);
        }
        vcpu.Stop();
        for (var i = 0; i < leaves; i++)
        {
            foreach (var page in vcpu.WrittenIn(i))
            {
                var isDirty = table.Walk(new Gfn(((ulong)i << 9) + page)).IsDirty;
                Assert.True(isDirty, $"the write to page {page} of leaf {i} is lost");
            }
        }
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_write_that_races_with_an_unmap_does_not_bring_the_leaf_back(Architecture architecture)
    {
        const int leaves = 3000;
        using var table = CleanLeaves(architecture, leaves);
        var vcpu = new RaceDirtier(table, leaves);
        vcpu.Start();
        var random = new Random(3);
        for (var i = 0; i < leaves; i += 2)
        {
            // The even leaf makes sure that the vCPU is running; the odd one goes about when the vCPU gets there.
            vcpu.Current = i;
            vcpu.AwaitWriteTo(i);
            vcpu.Current = i + 1;
            Thread.SpinWait(random.Next(8));
            table.Unmap(new Gfn((ulong)(i + 1) << 9));
        }
        vcpu.Stop();
        for (var i = 1UL; i < leaves; i += 2)
        {
            Assert.Equal(0UL, table.Walk(new Gfn(i << 9)).Pte);
        }
    }

    [Fact]
    public void A_reader_inside_a_slice_holds_retired_pages_back()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 48);
        using var reader = table.Readers.Add();
        using var idle = table.Readers.Add();
        table.Map(new Gfn(0), new Pfn(1), Access.Read, PageLevel.Size4K);
        reader.Enter();
        table.Unmap(new Gfn(0));
        Assert.Equal(3, table.Reclaim());
        Assert.Equal(3, table.Counters.RetiredPages);
        Assert.Equal(1, table.Counters.TablePages);

        // What is retired after a reader has entered anew waits for that reader; what it can not have seen goes.
        reader.Exit();
        table.Map(new Gfn(0), new Pfn(1), Access.Read, PageLevel.Size4K);
        idle.Enter();
        table.Unmap(new Gfn(0));
        reader.Enter();
        Assert.Equal(3, table.Reclaim());
        idle.Exit();
        reader.Exit();
        Assert.Equal(0, table.Reclaim());
    }

    [Fact]
    public void Epochs_tell_when_readers_have_moved_on()
    {
        var readers = new TableReaders();
        using var a = readers.Add();
        using var b = readers.Add();
        a.Enter();
        var ended = readers.Advance();
        b.Enter();
        Assert.False(readers.HasPassed(ended));
        a.Exit();
        Assert.True(readers.HasPassed(ended));
        Assert.False(readers.HasPassed(readers.Current));
        b.Dispose();
        Assert.True(readers.HasPassed(readers.Current));
    }

    private static SecondStageTable CleanLeaves(Architecture architecture, int count)
    {
        var table = SecondStageTable.Create(architecture, 40);
        for (var i = 0UL; i < (ulong)count; i++)
        {
            table.Map(new Gfn(i << 9), new Pfn(i << 9), Access.Read | Access.Write, PageLevel.Size2M);
        }
        var all = new RangeCursor(new GfnRange(new Gfn(0), (ulong)count << 9));
        table.ClearDirty(ref all, int.MaxValue);
        return table;
    }
}
