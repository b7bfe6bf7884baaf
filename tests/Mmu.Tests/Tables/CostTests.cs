namespace Userfault.Mmu.Tests.Tables;

// What a table costs in memory, and that batches are bounded. Counts, not clocks.
public class CostTests
{
    private const Access RW = Access.Read | Access.Write;
    private static readonly ulong GiB = PageLevel.Size1G.Pages();

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_sparse_guest_costs_what_it_touches(Architecture architecture)
    {
        using var table = SecondStageTable.Create(architecture, 42);
        // One page in every 16 GiB of 1 TiB: each needs a table for its 2 MiB and one for its 1 GiB, and x86 two for
        // 512 GiB.
        for (var gfn = 0UL; gfn < 1024 * GiB; gfn += 16 * GiB)
        {
            table.Map(new Gfn(gfn), new Pfn(gfn), RW, PageLevel.Size4K);
        }
        var counters = table.Counters;
        Assert.Equal(64, counters.Leaves4K);
        Assert.Equal(64, counters.MappedPages);
        Assert.Equal(architecture == Architecture.X86 ? 1 + 2 + 64 + 64 : 8 + 64 + 64, counters.TablePages);
        Assert.InRange(counters.ReservedBytes, counters.TableBytes, counters.TableBytes + (512 << 10));
    }

    [Fact]
    public void Tables_for_4_KiB_leaves_cost_a_little_over_2_MiB_a_GiB()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 40);
        MapRange(table, 0, 2 * GiB);
        var counters = table.Counters;
        Assert.Equal((long)(2 * GiB), counters.Leaves4K);
        // 64 GiB in less than 150 MB.
        Assert.InRange(counters.ReservedBytes * 32, 64L << 21, 150_000_000);
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void A_zap_gives_memory_back_and_each_batch_is_bounded(Architecture architecture)
    {
        using var table = SecondStageTable.Create(architecture, 40);
        MapRange(table, 5, GiB);
        var cursor = new RangeCursor(new GfnRange(new Gfn(5), GiB));
        var batches = 0;
        var leaves = 0L;
        while (!cursor.IsDone)
        {
            var next = cursor.Next;
            var result = table.Zap(ref cursor, 100);
            leaves += result.Leaves;
            batches++;
            Assert.InRange(result.Leaves, 1, 100 * 512);
            // All that was mapped and is done now must be flushed; nothing that is still mapped may be missing.
            Assert.True(result.Flush.Contains(next));
            Assert.True(result.Flush.End >= cursor.Next || cursor.IsDone);
            Assert.False(table.Walk(next).IsPresent);
            Assert.Equal(!cursor.IsDone, table.Walk(cursor.Next).IsPresent);
        }
        // 511 whole tables one by one, 512 leaves of the two partial ones, a few tables on the way down.
        Assert.InRange(batches, 11, 12);
        Assert.Equal((long)GiB, leaves);
        Assert.Equal(0, table.Reclaim());
        Assert.Equal(table.Geometry.RootTables, table.Counters.TablePages);
        Assert.InRange(table.Counters.ReservedBytes, 0, 512 << 10);
    }

    [Theory]
    [InlineData(Architecture.X86)]
    [InlineData(Architecture.Arm64)]
    public void Nothing_managed_is_allocated(Architecture architecture)
    {
        using var table = SecondStageTable.Create(architecture, 40);
        using var reader = table.Readers.Add();
        Exercise(table, reader);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Exercise(table, reader);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static void Exercise(SecondStageTable table, TableReader reader)
    {
        const ulong pages = 4096;
        var range = new GfnRange(new Gfn(0), pages);
        MapRange(table, 0, pages);
        reader.Enter();
        for (var gfn = 0UL; gfn < pages; gfn++)
        {
            table.TryAccess(new Gfn(gfn), Access.Write, out _);
            table.Walk(new Gfn(gfn));
        }
        reader.Exit();
        table.TestAndClearDirty(new Gfn(64), ulong.MaxValue);
        table.WriteProtect(new Gfn(64), ulong.MaxValue);
        table.MakeWritable(new Gfn(64));
        var cursor = new RangeCursor(range);
        table.WriteProtect(ref cursor, int.MaxValue);
        table.Collapse(new Gfn(0), PageLevel.Size2M);
        table.Collapse(new Gfn(0), PageLevel.Size2M);
        cursor = new RangeCursor(range);
        while (!cursor.IsDone)
        {
            table.Split(ref cursor, 100);
        }
        table.Unmap(new Gfn(0));
        cursor = new RangeCursor(range);
        table.Zap(ref cursor, int.MaxValue);
    }

    private static void MapRange(SecondStageTable table, ulong start, ulong pages)
    {
        for (var gfn = start; gfn < start + pages; gfn++)
        {
            table.Map(new Gfn(gfn), new Pfn(gfn), RW, PageLevel.Size4K);
        }
    }
}
