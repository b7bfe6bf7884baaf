namespace Userfault.Mmu.Tests;

/// <summary>The TLB's behaviour, case by case.</summary>
public class TlbTests
{
    private const Access ReadWrite = Access.Read | Access.Write;
    private const Access All = ReadWrite | Access.Execute;

    [Fact]
    public void A_small_page_is_found_after_its_walk()
    {
        var tlb = new Tlb(TlbConfig.Default);
        Assert.False(tlb.Lookup(new Gfn(5), Access.Read, out _));
        tlb.Insert(new Gfn(5), new Pfn(0x1234), All, PageLevel.Size4K, dirty: true);
        Assert.True(tlb.Lookup(new Gfn(5), ReadWrite, out var entry));
        Assert.Equal(new TlbEntry(new Pfn(0x1234), All, PageLevel.Size4K, Dirty: true), entry);
        Assert.False(tlb.Lookup(new Gfn(6), Access.Read, out entry));
        Assert.Equal(default, entry);
        Assert.Equal(new TlbStats { Hits4K = 1, Misses = 2 }, tlb.Stats);
    }

    [Theory]
    [InlineData(PageLevel.Size2M, 0x200UL, 0x3ffUL)]
    [InlineData(PageLevel.Size1G, 0x40000UL, 0x7ffffUL)]
    public void A_large_leaf_answers_for_every_frame_in_it(PageLevel level, ulong first, ulong last)
    {
        var tlb = new Tlb(TlbConfig.Default);
        var pfn = new Pfn(level.Pages() * 3);
        tlb.Insert(new Gfn(first + 17), pfn.Plus(17), All, level, dirty: false);
        Assert.True(tlb.Lookup(new Gfn(first), Access.Read, out var entry));
        Assert.Equal(pfn, entry.Pfn);
        Assert.True(tlb.Lookup(new Gfn(last), Access.Execute, out entry));
        Assert.Equal(new TlbEntry(pfn.Plus(last - first), All, level, Dirty: false), entry);
        Assert.False(tlb.Lookup(new Gfn(first - 1), Access.Read, out _));
        Assert.False(tlb.Lookup(new Gfn(last + 1), Access.Read, out _));
        Assert.Equal(1, tlb.Count);
    }

    [Theory]
    [InlineData(Access.Read, false, Access.Read, true)]
    [InlineData(Access.Read, false, Access.Write, false)]
    [InlineData(Access.Read, true, Access.Execute, false)]
    [InlineData(ReadWrite, true, ReadWrite, true)]
    [InlineData(ReadWrite, false, Access.Write, false)] // the walk must set the dirty bit first
    [InlineData(ReadWrite, false, Access.Read, true)]
    [InlineData(All, false, Access.Execute, true)]
    [InlineData(All, true, All, true)]
    [InlineData(Access.None, true, Access.Read, false)]
    public void An_entry_answers_what_it_permits(Access cached, bool dirty, Access asked, bool hits)
    {
        var tlb = new Tlb(TlbConfig.Default);
        tlb.Insert(new Gfn(1), new Pfn(1), cached, PageLevel.Size4K, dirty);
        Assert.Equal(hits, tlb.Lookup(new Gfn(1), asked, out _));
        Assert.Equal(hits ? new TlbStats { Hits4K = 1 } : new TlbStats { PermissionMisses = 1 }, tlb.Stats);
    }

    [Fact]
    public void The_walk_after_a_permission_miss_replaces_the_entry()
    {
        var tlb = new Tlb(TlbConfig.Default);
        tlb.Insert(new Gfn(1), new Pfn(1), Access.Read, PageLevel.Size4K, dirty: false);
        tlb.Insert(new Gfn(1), new Pfn(2), ReadWrite, PageLevel.Size4K, dirty: true);
        Assert.True(tlb.Lookup(new Gfn(1), Access.Write, out var entry));
        Assert.Equal((new Pfn(2), 1, 0UL), (entry.Pfn, tlb.Count, tlb.Stats.Evictions));
    }

    [Fact]
    public void Stale_and_new_leaves_lie_side_by_side_until_the_flush()
    {
        var tlb = new Tlb(TlbConfig.Default);
        tlb.Insert(new Gfn(0x205), new Pfn(0x9005), Access.Read, PageLevel.Size4K, dirty: false);
        tlb.Insert(new Gfn(0x205), new Pfn(0x4005), ReadWrite, PageLevel.Size2M, dirty: true);
        Assert.True(tlb.Lookup(new Gfn(0x205), Access.Read, out var stale));
        Assert.Equal(new Pfn(0x9005), stale.Pfn);
        Assert.True(tlb.Lookup(new Gfn(0x205), Access.Write, out var large));
        Assert.Equal((new Pfn(0x4005), PageLevel.Size2M), (large.Pfn, large.Level));
        Assert.Equal(2, tlb.FlushRange(new GfnRange(new Gfn(0x205), 1)));
        Assert.False(tlb.Lookup(new Gfn(0x205), Access.Read, out _));
        Assert.Equal(
            new TlbStats
            {
                Hits4K = 1,
                Hits2M = 1,
                Misses = 1,
                RangeFlushes = 1,
            },
            tlb.Stats
        );
    }

    [Fact]
    public void Hardware_without_large_entries_splinters_a_leaf()
    {
        var tlb = new Tlb(new TlbConfig(new TlbGeometry(4, 2), TlbGeometry.None, TlbGeometry.None));
        tlb.Insert(new Gfn(0x40007), new Pfn(0x80007), All, PageLevel.Size1G, dirty: true);
        Assert.True(tlb.Lookup(new Gfn(0x40007), Access.Read, out var entry));
        Assert.Equal(new TlbEntry(new Pfn(0x80007), All, PageLevel.Size4K, Dirty: true), entry);
        Assert.False(tlb.Lookup(new Gfn(0x40008), Access.Read, out _));

        tlb = new Tlb(new TlbConfig(new TlbGeometry(4, 2), new TlbGeometry(2, 1), TlbGeometry.None));
        tlb.Insert(new Gfn(0x40207), new Pfn(0x80207), All, PageLevel.Size1G, dirty: true);
        Assert.True(tlb.Lookup(new Gfn(0x40200), Access.Read, out entry));
        Assert.Equal((new Pfn(0x80200), PageLevel.Size2M), (entry.Pfn, entry.Level));
        Assert.False(tlb.Lookup(new Gfn(0x40000), Access.Read, out _));
    }

    [Fact]
    public void The_least_recently_used_way_is_the_victim()
    {
        var tlb = new Tlb(new TlbConfig(new TlbGeometry(2, 2), TlbGeometry.None, TlbGeometry.None));
        Insert(0);
        Insert(2);
        Assert.True(tlb.Lookup(new Gfn(0), Access.Read, out _));
        Insert(1); // the other set
        Insert(4); // evicts 2: 0 was used since
        Assert.Equal([true, true, false, false, true], Present(0, 1, 2, 3, 4));
        Assert.Equal(1UL, tlb.Stats.Evictions);

        void Insert(ulong gfn) => tlb.Insert(new Gfn(gfn), new Pfn(gfn), All, PageLevel.Size4K, dirty: true);
        bool[] Present(params ulong[] gfns) => [.. gfns.Select(g => tlb.Lookup(new Gfn(g), Access.Read, out _))];
    }

    [Theory]
    [InlineData(0UL, 0UL, 0)]
    [InlineData(0x200UL, 0x200UL, 512 + 1)]
    [InlineData(0x3ffUL, 1UL, 1 + 1)] // a large leaf goes as a whole
    [InlineData(0x400UL, 1UL, 1)]
    [InlineData(0UL, ulong.MaxValue, 1024 + 1)]
    [InlineData(5UL, ulong.MaxValue, 1019 + 1)] // a range that would wrap at 2^64 does not
    [InlineData(Tlb.FrameLimit, 10UL, 0)]
    public void A_range_flush_drops_what_overlaps(ulong start, ulong count, int dropped)
    {
        var tlb = new Tlb(new TlbConfig(new TlbGeometry(512, 4), new TlbGeometry(4, 2), TlbGeometry.None));
        for (var gfn = 0x100UL; gfn < 0x400; gfn++)
            Insert(gfn, PageLevel.Size4K);
        for (var gfn = 0UL; gfn < 0x100; gfn++)
            Insert(gfn, PageLevel.Size4K);
        Insert(0x200, PageLevel.Size2M);
        if (start == 0x400)
            Insert(0x400, PageLevel.Size4K);
        Assert.Equal(dropped, tlb.FlushRange(new GfnRange(new Gfn(start), count)));

        void Insert(ulong gfn, PageLevel level) => tlb.Insert(new Gfn(gfn), new Pfn(gfn), All, level, dirty: true);
    }

    [Fact]
    public void A_full_flush_lasts_however_many_came_before()
    {
        var tlb = new Tlb(TlbConfig.Default);
        // More rounds than there are generations. Frame 1 has its set to itself, so that its old slot stays in memory.
        const ulong rounds = 10_000;
        tlb.Insert(new Gfn(1), new Pfn(1), All, PageLevel.Size4K, dirty: true);
        for (var round = 0UL; round < rounds; round++)
        {
            tlb.Insert(new Gfn(0), new Pfn(0), All, PageLevel.Size4K, dirty: true);
            Assert.Equal(round == 0 ? 2 : 1, tlb.Count);
            tlb.FlushAll();
            Assert.Equal(0, tlb.Count);
            Assert.False(tlb.Lookup(new Gfn(0), Access.Read, out _));
            tlb.Insert(new Gfn(2), new Pfn(2), All, PageLevel.Size4K, dirty: true);
            Assert.False(tlb.Lookup(new Gfn(1), Access.Read, out _));
            tlb.FlushRange(new GfnRange(new Gfn(2), 1));
        }
        Assert.Equal(
            new TlbStats
            {
                Misses = 2 * rounds,
                FullFlushes = rounds,
                RangeFlushes = rounds,
            },
            tlb.Stats
        );
    }

    [Fact]
    public void What_no_table_says_is_refused()
    {
        var tlb = new Tlb(TlbConfig.Default);
        Assert.Throws<ArgumentException>(() => tlb.Insert(new Gfn(1), new Pfn(2), All, PageLevel.Size2M, dirty: true));
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            tlb.Insert(new Gfn(0), new Pfn(0), All, PageLevel.Size512G, dirty: true)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            tlb.Insert(new Gfn(Tlb.FrameLimit), new Pfn(0), All, PageLevel.Size4K, dirty: true)
        );
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            tlb.Insert(new Gfn(0), new Pfn(Tlb.FrameLimit), All, PageLevel.Size4K, dirty: true)
        );
        // A frame that no address has is looked up in vain, also where its low bits are cached.
        tlb.Insert(new Gfn(7), new Pfn(7), All, PageLevel.Size4K, dirty: true);
        Assert.False(tlb.Lookup(new Gfn(Tlb.FrameLimit + 7), Access.Read, out _));
        Assert.Throws<ArgumentException>(() =>
            new Tlb(new TlbConfig(TlbGeometry.None, new TlbGeometry(1, 1), TlbGeometry.None))
        );
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(-4, 1)]
    [InlineData(4, 0)]
    [InlineData(4, -1)]
    [InlineData(1 << 20, 1 << 20)]
    public void Impossible_shapes_are_refused(int sets, int ways) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new TlbGeometry(sets, ways));

    [Fact]
    public void Nothing_allocates()
    {
        var tlb = new Tlb(TlbConfig.Default);
        Work(tlb);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Work(tlb);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        static void Work(Tlb tlb)
        {
            for (var i = 0UL; i < 5000; i++)
            {
                if (!tlb.Lookup(new Gfn(i), Access.Read, out _))
                    tlb.Insert(new Gfn(i), new Pfn(i), All, PageLevel.Size4K, dirty: true);
            }
            tlb.FlushRange(new GfnRange(new Gfn(0), 100));
            tlb.FlushRange(new GfnRange(new Gfn(0), 100_000));
            tlb.FlushAll();
        }
    }
}
