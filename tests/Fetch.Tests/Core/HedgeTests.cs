using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests.Core;

/// <summary>What is asked for a second time, since the first takes long.</summary>
public sealed class HedgeTests
{
    private const long Millisecond = 1_000_000;
    private static readonly FetchSettings Singles = new() { RequestPages = 1, HedgeFloorNs = Millisecond, TimeoutNs = 0 };

    [Fact]
    public void Hedges_stay_within_a_tenth_of_what_was_asked_for()
    {
        var rig = new EngineRig(Singles, sources: 2);
        for (ulong page = 0; page < 100; page++) rig.Want(page);
        var requests = rig.Drain();
        rig.NowNs = 1000;
        foreach (var request in requests.Take(50)) rig.Answer(request);

        Assert.Empty(rig.Tick(Millisecond - 1));
        var hedges = rig.Tick(Millisecond);
        Assert.Equal((10, 10L), (hedges.Count, rig.Core.Counters.Hedged));
        // The oldest come first.
        Assert.Equal(requests.Skip(50).Take(10).SelectMany(r => r.Pages), hedges.SelectMany(h => h.Pages));
        foreach (var hedge in hedges)
        {
            Assert.True(hedge.IsHedge);
            var slow = requests.Single(r => r.Pages[0] == hedge.Pages[0]);
            Assert.NotEqual(slow.Source, hedge.Source);
            rig.Answer(hedge);
            rig.Answer(slow);
        }

        Assert.Equal(60, rig.Delivered.Count);
        Assert.Equal((10L, 0L), (rig.Core.Counters.Late, rig.Core.Counters.Bad));
    }

    [Fact]
    public void Nothing_is_hedged_before_enough_is_known_nor_with_nobody_else_to_ask_nor_when_it_is_off()
    {
        foreach (var (settings, sources, answers) in new[] { (Singles, 2, 19), (Singles, 1, 100), (Singles with { Hedge = false }, 2, 100) })
        {
            var rig = new EngineRig(settings, sources);
            rig.WarmUp(1000, answers);
            rig.Want(1);
            rig.Drain();
            Assert.Empty(rig.Tick(rig.NowNs + (1000 * Millisecond)));
        }
    }

    [Fact]
    public void A_hedge_asks_only_for_what_has_not_come_and_whoever_comes_first_is_believed()
    {
        var rig = new EngineRig(new FetchSettings { HedgeFloorNs = Millisecond, HedgePercent = 100 }, sources: 2);
        rig.WarmUp(1000);
        rig.WantAll([1, 2, 3, 4]);
        var slow = rig.Next();
        rig.Answer(slow.Id, [1], isLast: false);
        var hedge = Assert.Single(rig.Tick(rig.NowNs + (2 * Millisecond)));
        Assert.Equal([2UL, 3UL, 4UL], hedge.Pages);
        // Once is enough.
        Assert.Empty(rig.Tick(rig.NowNs + (2 * Millisecond)));
        rig.Answer(hedge.Id, [2], isLast: false);
        rig.Answer(slow.Id, [2, 3], isLast: false);
        rig.Answer(hedge.Id, [3, 4]);
        rig.Answer(slow.Id, [4]);
        Assert.Equal([1UL, 2UL, 3UL, 4UL], rig.Delivered.Select(d => d.Page));
        Assert.Equal((0, 0, 0L), (rig.Core.PagesHeld, rig.Core.RequestsOpen, rig.Core.Counters.Bad));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_page_survives_the_loss_of_both_its_request_and_its_hedge(bool hedgeFirst)
    {
        var rig = new EngineRig(Singles with { HedgePercent = 100 }, sources: 2);
        rig.WarmUp(10);
        rig.Want(500);
        var slow = rig.Next();
        var hedge = Assert.Single(rig.Tick(rig.NowNs + (2 * Millisecond)));
        rig.Fail(hedgeFirst ? hedge.Id : slow.Id, FetchFailure.BadAnswer);
        Assert.Empty(rig.Drain());
        rig.Fail(hedgeFirst ? slow.Id : hedge.Id, FetchFailure.BadAnswer);
        Assert.Equal([500UL], rig.Next().Pages);
    }

    /// <summary>What the path takes changes; what it took long ago says nothing.</summary>
    [Fact]
    public void A_path_that_has_become_slower_is_not_slow_for_ever()
    {
        var rig = new EngineRig(Singles with { HedgePercent = 100 }, sources: 2);
        rig.WarmUp(1000, 8192);
        rig.WarmUp(5 * Millisecond, 8192);
        rig.Want(1);
        var slow = rig.Next();
        Assert.Empty(rig.Tick(rig.NowNs + (4 * Millisecond)));
        Assert.Single(rig.Tick(rig.NowNs + (2 * Millisecond)));
        rig.Answer(slow);
    }

    /// <summary>Waited for, not asked for again; where that takes long, the page alone, as demand, which overtakes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_background_page_that_becomes_wanted_on_its_way_is_waited_for_and_then_hedged(int sources)
    {
        var rig = new EngineRig(new FetchSettings { HedgeFloorNs = Millisecond, TimeoutNs = 0 }, sources);
        rig.WarmUp(1000);
        for (ulong page = 0; page < 32; page++) rig.Want(page, FetchPriority.Background);
        var background = rig.Next();
        rig.NowNs += 100 * Millisecond;
        rig.Core.Promote(new Gfn(7), rig.NowNs);
        Assert.Empty(rig.Drain());
        Assert.Empty(rig.Tick(rig.NowNs + Millisecond - 1));
        var hedge = Assert.Single(rig.Tick(rig.NowNs + 1));
        Assert.Equal((FetchPriority.Demand, true, sources == 1), (hedge.Priority, hedge.IsHedge, hedge.Source == background.Source));
        Assert.Equal([7UL], hedge.Pages);
        // Another page of the same request that becomes wanted later has its own time.
        rig.Want(9);
        Assert.Empty(rig.Tick(rig.NowNs));
        Assert.Equal([9UL], Assert.Single(rig.Tick(rig.NowNs + Millisecond)).Pages);
        rig.Answer(hedge);
        rig.Answer(background);
        Assert.Equal(32, rig.Delivered.Distinct().Count());
        Assert.Equal((32, 2L, 1L), (rig.Delivered.Count, rig.Core.Counters.Awaited, rig.Core.Counters.Late));
    }
}
