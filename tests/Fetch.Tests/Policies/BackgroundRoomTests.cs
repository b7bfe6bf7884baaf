using Userfault.Paging;

namespace Userfault.Fetch.Tests.Policies;

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
        var rig = new EngineRig(new FetchSettings { RequestPages = 16, BackgroundWindowPages = 256, Hedge = false, DemandDelayNs = delayUs * Microsecond });
        const ulong demandFrom = 1_000_000;
        for (ulong page = 0; page < 100_000; page++) rig.Want(page, FetchPriority.Background);
        var under = new Queue<(Asked Request, long SentNs, long DoneNs)>();
        var waits = new List<long>();
        long lineFreeNs = 0, nextDemandNs = 0;
        while (waits.Count < 400)
        {
            if (rig.NowNs >= nextDemandNs)
            {
                rig.Want(demandFrom + (ulong)waits.Count + (ulong)nextDemandNs);
                nextDemandNs = rig.NowNs + (500 * Microsecond);
            }

            foreach (var request in rig.Drain())
            {
                lineFreeNs = Math.Max(lineFreeNs, rig.NowNs + (25 * Microsecond)) + (request.Pages.Length * 4 * Microsecond);
                under.Enqueue((request, rig.NowNs, lineFreeNs + (25 * Microsecond)));
            }

            if (!under.TryPeek(out var first)) continue;
            rig.NowNs = Math.Max(rig.NowNs, Math.Min(first.DoneNs, nextDemandNs));
            if (rig.NowNs < first.DoneNs) continue;
            under.Dequeue();
            if (first.Request.Priority == FetchPriority.Demand) waits.Add(rig.NowNs - first.SentNs);
            rig.Answer(first.Request);
        }

        var median = waits.Skip(100).Order().ElementAt(150) / Microsecond;
        Assert.InRange(median, leastUs, mostUs);
        // The line was never idle: room is only taken from what waits in it.
        Assert.InRange(rig.Core.Counters.BackgroundPages * 4 * Microsecond, rig.NowNs * 8 / 10, rig.NowNs * 11 / 10);
    }
}
