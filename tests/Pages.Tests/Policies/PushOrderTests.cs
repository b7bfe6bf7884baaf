using Userfault.Mmu;

namespace Userfault.Pages.Tests.Policies;

public sealed class PushOrderTests : IDisposable
{
    private const ulong Base = 1000;
    private readonly UserfaultBitmap _missing = UserfaultBitmap.Allocate(40);
    private readonly PageClaims _claims;

    public PushOrderTests()
    {
        _missing.SetAll();
        _claims = new PageClaims(Run(0, 40), _missing);
    }

    public void Dispose()
    {
        _claims.Dispose();
        _missing.Dispose();
    }

    [Fact]
    public void Sequential_goes_through_once_and_skips_what_is_there_or_claimed()
    {
        _missing.ClearRange(0, 3);
        _missing.Clear(10);
        _claims.Claim(Run(20, 5));
        var order = PushOrder.Create(PushOrderKind.Sequential, _claims);
        Assert.Equal([Run(3, 7), Run(11, 8), Run(19, 1), Run(25, 8), Run(33, 7)], Drain(order, 8));
    }

    [Fact]
    public void Outward_follows_the_last_fault_nearest_first()
    {
        var order = PushOrder.Create(PushOrderKind.Outward, _claims);
        Assert.Equal([Run(0, 4)], Take(order, 4, 1));
        order.OnFault(new MemoryPage(Base + 20));
        _claims.Claim(Run(20, 1));
        Assert.Equal([Run(16, 4), Run(21, 4), Run(12, 4), Run(25, 4)], Take(order, 4, 4));
        order.OnFault(new MemoryPage(Base + 38));
        Assert.Equal([Run(38, 2), Run(34, 4), Run(30, 4), Run(29, 1), Run(8, 4), Run(4, 4)], Drain(order, 4));
    }

    [Fact]
    public void Recorded_goes_by_the_set_then_takes_the_rest()
    {
        using var image = new SyntheticImage(new SyntheticSettings(2000));
        // One run reaches into the slot from below, one lies outside.
        var set = new WorkingSet(
            image.Identity,
            2000,
            [
                Run(30, 3),
                new MemoryPageRange(new MemoryPage(Base - 5), 7),
                new MemoryPageRange(new MemoryPage(5), 9),
                Run(7, 6),
            ]
        );
        _missing.Clear(9);
        var order = PushOrder.Create(PushOrderKind.Recorded, _claims, set);
        Assert.Equal(
            [Run(30, 3), Run(0, 2), Run(7, 2), Run(10, 3), Run(2, 5), Run(13, 8), Run(21, 8), Run(29, 1), Run(33, 7)],
            Drain(order, 8)
        );
    }

    [Theory]
    [InlineData(PushOrderKind.Sequential)]
    [InlineData(PushOrderKind.Outward)]
    [InlineData(PushOrderKind.Recorded)]
    public void Under_random_use_every_page_is_offered_while_open_and_never_twice(PushOrderKind kind)
    {
        const ulong pages = 1000;
        using var image = new SyntheticImage(new SyntheticSettings(pages));
        for (var seed = 0; seed < 40; seed++)
        {
            var random = new Random(seed);
            using var missing = UserfaultBitmap.Allocate(pages);
            missing.SetAll();
            using var claims = new PageClaims(new MemoryPageRange(new MemoryPage(0), pages), missing);
            var set = new WorkingSet(
                image.Identity,
                pages,
                [new MemoryPageRange(new MemoryPage(500), 100), new MemoryPageRange(new MemoryPage(20), 30)]
            );
            var order = PushOrder.Create(kind, claims, set);
            var fetched = new int[pages];
            var inFlight = new List<MemoryPageRange>();
            while (missing.Count() > 0)
            {
                switch (random.Next(4))
                {
                    case 0:
                        // A demand fault with a locality window.
                        var page = new MemoryPage((ulong)random.Next((int)pages));
                        var window = claims.WindowAround(page, 1ul << random.Next(6));
                        order.OnFault(page);
                        if (!window.IsEmpty)
                        {
                            claims.Claim(window);
                            inFlight.Add(window);
                        }
                        break;
                    case 1 or 2:
                        if (order.TryNext((ulong)random.Next(1, 50), out var range))
                            inFlight.Add(range);
                        else
                            Assert.True(inFlight.Count > 0, $"seed {seed}: {missing.Count()} pages forgotten");
                        break;
                    default:
                        if (inFlight.Count > 0)
                            Finish(random, inFlight, missing, claims, order, fetched);
                        break;
                }
            }
            Assert.All(fetched, static n => Assert.Equal(1, n));
            Assert.False(order.TryNext(8, out _));
        }
    }

    private static void Finish(
        Random random,
        List<MemoryPageRange> inFlight,
        UserfaultBitmap missing,
        PageClaims claims,
        PushOrder order,
        int[] fetched
    )
    {
        var at = random.Next(inFlight.Count);
        var range = inFlight[at];
        inFlight.RemoveAt(at);
        if (random.Next(5) == 0)
        {
            claims.Release(range);
            order.GiveBack(range);
            return;
        }
        for (ulong i = 0; i < range.Count; i++)
        {
            Assert.True(missing.Clear(range.Start.Value + i));
            fetched[range.Start.Value + i]++;
        }
        claims.Release(range);
    }

    [Fact]
    public void What_failed_is_offered_again_before_the_rest()
    {
        var order = PushOrder.Create(PushOrderKind.Sequential, _claims);
        Take(order, 8, 2);
        _claims.Release(Run(2, 3));
        order.GiveBack(Run(2, 3));
        _missing.Clear(3);
        Assert.Equal([Run(2, 1), Run(4, 1), Run(16, 8)], Take(order, 8, 3));
    }

    [Fact]
    public void A_window_is_aligned_by_gfn_and_holds_only_open_neighbours()
    {
        // page 1000 is 8 * 125; the window of 16 that holds it begins at 992, before the slot.
        Assert.Equal(Run(0, 8), _claims.WindowAround(new MemoryPage(Base + 3), 16));
        Assert.Equal(Run(8, 16), _claims.WindowAround(new MemoryPage(Base + 8), 16));
        Assert.Equal(Run(8, 1), _claims.WindowAround(new MemoryPage(Base + 8), 1));
        _missing.Clear(12);
        _claims.Claim(Run(18, 1));
        Assert.Equal(Run(13, 5), _claims.WindowAround(new MemoryPage(Base + 15), 16));
        Assert.Equal(Run(13, 5), _claims.WindowAround(new MemoryPage(Base + 13), 16));
        Assert.True(_claims.WindowAround(new MemoryPage(Base + 12), 16).IsEmpty);
        Assert.True(_claims.WindowAround(new MemoryPage(Base + 18), 16).IsEmpty);
        Assert.Equal(Run(24, 16), _claims.WindowAround(new MemoryPage(Base + 39), 64).Intersect(Run(24, 16)));
        Assert.Throws<ArgumentOutOfRangeException>(() => _claims.WindowAround(new MemoryPage(Base), 3));
    }

    [Fact]
    public void Runs_agree_with_a_naive_search()
    {
        const ulong pages = 9000;
        var random = new Random(3);
        using var missing = UserfaultBitmap.Allocate(pages);
        using var claims = new PageClaims(Run(0, pages), missing);
        for (var i = 0; i < 60; i++)
        {
            missing.SetRange((ulong)random.Next(8000), (ulong)random.Next(300));
            claims.Claim(Run((ulong)random.Next(8500), (ulong)random.Next(60)));
        }
        var open = Enumerable
            .Range(0, (int)pages)
            .Select(i => claims.IsOpen(new MemoryPage(Base + (ulong)i)))
            .ToArray();
        for (var i = 0; i < 3000; i++)
        {
            int from = random.Next((int)pages),
                end = Math.Min((int)pages, from + random.Next(random.Next(2) == 0 ? 200 : 9000));
            var most = random.Next(1, 200);
            var start = Array.FindIndex(open, from, end - from, static o => o);
            var length =
                start < 0 ? 0 : open.Skip(start).Take(Math.Min(most, end - start)).TakeWhile(static o => o).Count();
            var found = claims.NextOpen(
                new MemoryPage(Base + (ulong)from),
                new MemoryPage(Base + (ulong)end),
                (ulong)most
            );
            Assert.Equal(
                start < 0 ? (0, 0ul) : (start, (ulong)length),
                start < 0 ? (0, found.Count) : ((int)(found.Start.Value - Base), found.Count)
            );

            var last = from == 0 ? -1 : Array.FindLastIndex(open, from - 1, static o => o);
            length = last < 0 ? 0 : open.Take(last + 1).Reverse().Take(most).TakeWhile(static o => o).Count();
            found = claims.LastOpen(new MemoryPage(Base + (ulong)from), (ulong)most);
            Assert.Equal(last < 0 ? 0 : last + 1, last < 0 ? (int)found.Count : (int)(found.End.Value - Base));
            Assert.Equal((ulong)length, found.Count);
        }
    }

    private static MemoryPageRange Run(ulong start, ulong count) => new(new MemoryPage(Base + start), count);

    private static List<MemoryPageRange> Drain(PushOrder order, ulong most) => Take(order, most, int.MaxValue);

    private static List<MemoryPageRange> Take(PushOrder order, ulong most, int runs)
    {
        var taken = new List<MemoryPageRange>();
        while (taken.Count < runs && order.TryNext(most, out var range))
            taken.Add(range);
        return taken;
    }
}
