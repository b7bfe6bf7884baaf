namespace Userfault.Mmu.Tests;

/// <summary>Random lookups, inserts and flushes on the TLB and on its naive twin; every answer must agree.</summary>
public class TlbModelTests
{
    private const int Steps = 50_000;

    public static TheoryData<int, int[]> SeedsAndShapes =>
        new()
        {
            { 1, [1, 1, 0, 0, 0, 0] },
            { 2, [4, 2, 2, 2, 1, 1] },
            { 3, [8, 4, 0, 0, 1, 2] },
            { 4, [1, 7, 1, 3, 2, 1] },
            { 5, [128, 8, 32, 8, 1, 16] },
        };

    [Theory]
    [MemberData(nameof(SeedsAndShapes))]
    public void Tlb_and_naive_twin_agree(int seed, int[] shape)
    {
        var config = new TlbConfig(
            Geometry(shape[0], shape[1]),
            Geometry(shape[2], shape[3]),
            Geometry(shape[4], shape[5])
        );
        var (random, tlb, naive) = (new Random(seed), new Tlb(config), new NaiveTlb(config));
        for (var step = 0; step < Steps; step++)
        {
            var agrees = Step(random, tlb, naive) && tlb.Count == naive.Count;
            if (!agrees || tlb.Stats != naive.Stats)
            {
                Assert.Fail($"seed {seed}, step {step}: {tlb.Stats} {tlb.Count} entries, {naive.Stats} {naive.Count}");
            }
        }
        Assert.True(
            naive.Stats.Hits > 20 && naive.Stats.PermissionMisses > 20 && naive.Stats.Misses > 1000,
            $"{naive.Stats}"
        );
    }

    private static bool Step(Random random, Tlb tlb, NaiveTlb naive)
    {
        // Few frames, spread over a few leaves of each size and around one high address.
        var gfn = new Gfn(
            (ulong)random.Next(24)
                + ((ulong)random.Next(3) * 512)
                + ((ulong)random.Next(2) << 18)
                + (random.Next(8) == 0 ? Tlb.FrameLimit - (1 << 19) : 0)
        );
        var access = (Access)random.Next(1, 8);
        switch (random.Next(100))
        {
            case < 50:
                var expected = naive.Lookup(gfn, access);
                return tlb.Lookup(gfn, access, out var entry) == expected.HasValue && entry == (expected ?? default);
            case < 97:
                var level = (PageLevel)(random.Next(4) == 0 ? random.Next(1, 4) : 1);
                var pfn = new Pfn(((ulong)random.Next(1, 4) * level.Pages()) + (gfn.Value & (level.Pages() - 1)));
                var dirty = random.Next(2) == 0;
                tlb.Insert(gfn, pfn, access, level, dirty);
                naive.Insert(gfn, pfn, access, level, dirty);
                return true;
            case < 99:
                var range = new GfnRange(gfn, (ulong)random.Next(random.Next(2) == 0 ? 4 : 3000));
                return tlb.FlushRange(range) == naive.FlushRange(range);
            default:
                // Rare: the entries must have time to fill the larger shapes.
                if (random.Next(20) != 0)
                    return true;
                tlb.FlushAll();
                naive.FlushAll();
                return true;
        }
    }

    private static TlbGeometry Geometry(int sets, int ways) =>
        sets == 0 ? TlbGeometry.None : new TlbGeometry(sets, ways);
}
