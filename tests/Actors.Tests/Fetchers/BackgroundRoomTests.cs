using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors.Tests.Fetchers;

/// <summary>Background that makes room for demand.</summary>
public sealed class BackgroundRoomTests
{
    private const long Microsecond = 1000;

    [Fact]
    public void Slow_demand_takes_room_and_quick_demand_gives_it_back()
    {
        var room = new BackgroundRoom(16, 256, 200 * Microsecond);
        room.OnDemand(100 * Microsecond);
        Assert.Equal(256, room.Pages);
        room.OnDemand(301 * Microsecond);
        Assert.Equal(192, room.Pages);
        room.OnDemand(300 * Microsecond);
        Assert.Equal(193, room.Pages);
        for (var i = 0; i < 20; i++) room.OnDemand(1000 * Microsecond);
        Assert.Equal(16, room.Pages);
        room.OnBackground(isDemandWaiting: true);
        Assert.Equal(16, room.Pages);
        room.OnBackground(isDemandWaiting: false);
        Assert.Equal(20, room.Pages);
        for (var i = 0; i < 100; i++) room.OnBackground(isDemandWaiting: false);
        Assert.Equal(256, room.Pages);
    }

    [Fact]
    public void A_path_that_has_become_slower_is_not_slow_for_ever()
    {
        var room = new BackgroundRoom(16, 256, 200 * Microsecond);
        room.OnDemand(100 * Microsecond);
        for (var i = 0; i < 2100; i++) room.OnDemand(1000 * Microsecond);
        Assert.True(room.Pages > 16);
    }

    // One source whose answers leave in the order asked over a path of a GiB a second or so: 4 us a page and 50 us there and
    // back. A page is wanted every 500 us while everything else is pushed.
    [Theory]
    [InlineData(0, 500, 1100)]
    [InlineData(200, 100, 450)]
    public void Demand_behind_a_push_waits_no_longer_than_allowed(long delayUs, long leastUs, long mostUs)
    {
        var core = new FetcherCore(new FetcherSettings { RequestPages = 16, BackgroundWindowPages = 256, Hedge = false, DemandDelayNs = delayUs * Microsecond });
        core.AddSource();
        const ulong demandFrom = 1_000_000;
        for (ulong page = 0; page < 100_000; page++) core.Want(new Gfn(page), FetchPriority.Background, 0);
        var under = new Queue<(ulong Id, bool IsDemand, long SentNs, long DoneNs, List<Gfn> Pages)>();
        var waits = new List<long>();
        long now = 0, lineFreeNs = 0, nextDemandNs = 0;
        while (waits.Count < 400)
        {
            if (now >= nextDemandNs)
            {
                core.Want(new Gfn(demandFrom + (ulong)waits.Count + (ulong)nextDemandNs), FetchPriority.Demand, 0);
                nextDemandNs = now + (500 * Microsecond);
            }

            while (core.NextRequest(now) is { } request)
            {
                lineFreeNs = Math.Max(lineFreeNs, now + (25 * Microsecond)) + (request.Pages * 4 * Microsecond);
                under.Enqueue((request.Id, request.Priority == FetchPriority.Demand, now, lineFreeNs + (25 * Microsecond), [.. request.Ranges.SelectMany(PageRuns.PagesOf)]));
            }

            var first = under.Dequeue();
            now = Math.Max(now, Math.Min(first.DoneNs, nextDemandNs));
            if (now < first.DoneNs)
            {
                under = new Queue<(ulong, bool, long, long, List<Gfn>)>([first, .. under]);
                continue;
            }

            if (first.IsDemand) waits.Add(now - first.SentNs);
            foreach (var page in first.Pages) core.OnPage(first.Id, page, PageContentKind.Bytes, out _);
            core.OnRequestDone(first.Id, now);
        }

        var median = waits.Skip(100).Order().ElementAt(150) / Microsecond;
        Assert.InRange(median, leastUs, mostUs);
        // The line was never idle: room is only taken from what waits in it.
        Assert.InRange(core.Counters.BackgroundPages * 4 * Microsecond, now * 8 / 10, now * 11 / 10);
    }
}
