using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Actors.Tests.Fetchers;

/// <summary>What a fetcher decides, message by message, with time as a parameter.</summary>
public sealed class FetcherCoreTests
{
    private const long Millisecond = 1_000_000;
    private const int Memslot = 0;
    private const int Reader = 1;
    private readonly List<(int Source, ulong RequestId)> _cancels = [];

    [Fact]
    public void Neighbours_travel_in_one_request_and_a_request_is_bounded()
    {
        var core = New(new FetcherSettings { RequestPages = 4 });
        foreach (var page in (ulong[])[7, 8, 9, 20, 30]) Want(core, page);

        var first = Next(core);
        Assert.Equal([new GfnRange(new Gfn(7), 3), new GfnRange(new Gfn(20), 1)], first.Ranges);
        Assert.Equal([30UL], Next(core).Pages);
        Assert.Null(core.NextRequest(0));
    }

    [Fact]
    public void Demand_goes_before_background_that_was_asked_for_earlier()
    {
        var core = New(new FetcherSettings { RequestPages = 2 });
        foreach (var page in (ulong[])[1, 2, 3]) Want(core, page, FetchPriority.Background);
        Want(core, 100);

        Assert.Equal((FetchPriority.Demand, 100UL), (Next(core) is var demand ? demand.Priority : default, demand.Pages[0]));
        var background = Next(core);
        Assert.Equal((FetchPriority.Background, 2), (background.Priority, background.Pages.Length));
    }

    [Fact]
    public void A_promoted_page_leaves_the_background_and_is_asked_for_once()
    {
        var core = New(new FetcherSettings { RequestPages = 1 });
        foreach (var page in (ulong[])[1, 2, 3]) Want(core, page, FetchPriority.Background);
        core.Promote(new Gfn(3));
        core.Promote(new Gfn(3));
        core.Promote(new Gfn(99));

        Assert.Equal([3UL, 1UL, 2UL], Drain(core).SelectMany(r => r.Pages));
        Assert.Equal(1, core.Counters.Promoted);
    }

    [Fact]
    public void Wanting_a_background_page_on_demand_promotes_it()
    {
        var core = New(new FetcherSettings { RequestPages = 1 });
        Want(core, 1, FetchPriority.Background);
        Want(core, 2, FetchPriority.Background);
        Want(core, 2);

        Assert.Equal([2UL, 1UL], Drain(core).SelectMany(r => r.Pages));
        Assert.Equal((1L, 1L), (core.Counters.Merged, core.Counters.Promoted));
    }

    [Fact]
    public void A_page_wanted_by_two_is_fetched_once_and_given_to_both()
    {
        var core = New();
        Want(core, 5, requester: Memslot);
        var request = Next(core);
        Want(core, 5, requester: Reader);
        Want(core, 5, requester: Memslot);
        Assert.Null(core.NextRequest(0));

        Assert.True(core.OnPage(request.Id, new Gfn(5), PageContentKind.Bytes, out var requester));
        Assert.Equal(Memslot, requester);
        Assert.Equal([Reader], core.TakeAlsoWanted(new Gfn(5)));
        Assert.Null(core.TakeAlsoWanted(new Gfn(5)));
        Assert.Equal(2, core.Counters.Merged);
    }

    [Fact]
    public void Background_that_is_on_its_way_is_bounded_and_demand_goes_past_it()
    {
        var core = New(new FetcherSettings { RequestPages = 2, BackgroundWindowPages = 4, WindowPages = 6 });
        for (ulong page = 0; page < 10; page++) Want(core, page, FetchPriority.Background);
        Assert.Equal(2, Drain(core).Count);

        for (ulong page = 50; page < 60; page++) Want(core, page);
        Assert.Equal([50UL, 51UL], Drain(core).SelectMany(r => r.Pages));
    }

    [Fact]
    public void Cancelling_the_background_keeps_demand_and_what_is_on_its_way()
    {
        var core = New(new FetcherSettings { RequestPages = 1, BackgroundWindowPages = 1 });
        Want(core, 1, FetchPriority.Background);
        var underWay = Next(core);
        Want(core, 2, FetchPriority.Background);
        Want(core, 3, FetchPriority.Background);
        core.Promote(new Gfn(3));
        core.CancelBackground();

        Assert.Equal([3UL], Drain(core).SelectMany(r => r.Pages));
        Assert.True(core.OnPage(underWay.Id, new Gfn(1), PageContentKind.Bytes, out _));
        Assert.Equal(1, core.PagesHeld);
    }

    [Fact]
    public void What_was_asked_of_a_lost_source_is_asked_of_another()
    {
        var core = New(sources: 2);
        Want(core, 1);
        Want(core, 2);
        var lost = Next(core);
        Assert.Equal(0, lost.Source);
        Assert.True(core.OnPage(lost.Id, new Gfn(1), PageContentKind.Bytes, out _));
        core.SourceIsDown(0);

        var retry = Next(core);
        Assert.Equal((1, 2UL), (retry.Source, retry.Pages.Single()));
        Assert.Equal(1, core.Counters.Retried);
        // The line had not lost it after all: late, and dropped.
        Assert.False(core.OnPage(lost.Id, new Gfn(2), PageContentKind.Bytes, out _));
        Assert.Equal((1L, 0L), (core.Counters.Late, core.Counters.Bad));
    }

    [Fact]
    public void Without_a_source_everything_held_is_handed_back_to_everybody_who_wants_it()
    {
        var core = New();
        Want(core, 9);
        _ = Next(core);
        Want(core, 9, requester: Reader);
        Want(core, 4, FetchPriority.Background);
        core.SourceIsDown(0);
        Assert.False(core.HasSource);
        Assert.Null(core.NextRequest(0));

        Assert.Equal(
            [(4UL, Memslot, FetchPriority.Background), (9UL, Memslot, FetchPriority.Demand), (9UL, Reader, FetchPriority.Demand)],
            core.TakeAll().Select(p => (p.Gfn.Value, p.Requester, p.Priority)).OrderBy(p => (p.Value, p.Requester)));
        Assert.Equal(0, core.PagesHeld);
        core.SourceIsUp(0);
        Want(core, 9);
        Assert.Equal([9UL], Next(core).Pages);
    }

    [Fact]
    public void An_overdue_request_is_cancelled_and_asked_for_again()
    {
        var core = New(new FetcherSettings { TimeoutNs = 100 * Millisecond }, sources: 2);
        Want(core, 1);
        var slow = Next(core);
        core.OnTick((100 * Millisecond) - 1, _cancels);
        Assert.Empty(_cancels);

        core.OnTick(100 * Millisecond, _cancels);
        Assert.Equal([(0, slow.Id)], _cancels);
        Assert.Equal([1UL], Next(core).Pages);
        Assert.True(core.IsUp(0));
    }

    [Fact]
    public void A_machine_that_stood_still_loses_no_source()
    {
        var core = New(new FetcherSettings { RequestPages = 1, MostBadAnswers = 3, TimeoutNs = 100 * Millisecond }, sources: 2);
        for (ulong page = 0; page < 64; page++) Want(core, page);
        Assert.Equal(64, Drain(core).Count);

        core.OnTick(500 * Millisecond, _cancels);
        Assert.Equal(64, _cancels.Count);
        Assert.Equal((true, true), (core.IsUp(0), core.IsUp(1)));
        var again = Drain(core, 500 * Millisecond);
        Assert.Equal(64, again.Count);

        // A page ends a source's silence; three sweeps without one are its end.
        core.OnTick(600 * Millisecond, _cancels);
        again = Drain(core, 600 * Millisecond);
        var answered = again.First(r => r.Source == 0);
        Assert.True(core.OnPage(answered.Id, new Gfn(answered.Pages[0]), PageContentKind.Bytes, out _));
        core.OnTick(700 * Millisecond, _cancels);
        Assert.Equal((true, false), (core.IsUp(0), core.IsUp(1)));
    }

    [Fact]
    public void The_only_source_is_not_asked_twice_however_slow()
    {
        var core = New(new FetcherSettings { TimeoutNs = 100 * Millisecond });
        Want(core, 1);
        var slow = Next(core);
        core.OnTick(1000 * Millisecond, _cancels);
        Assert.Empty(_cancels);
        Assert.True(core.OnPage(slow.Id, new Gfn(1), PageContentKind.Bytes, out _));
    }

    [Fact]
    public void Without_a_timeout_nothing_is_ever_overdue()
    {
        var core = New(new FetcherSettings { TimeoutNs = 0 }, sources: 2);
        Want(core, 1);
        _ = Next(core);
        core.OnTick(long.MaxValue, _cancels);
        Assert.Empty(_cancels);
    }

    public static TheoryData<string, int, long, long> HostileAnswers() => new()
    {
        // what the source does with a request for pages 1 and 2; delivered, late, bad
        { "both", 2, 0, 0 },
        { "wrong page", 0, 0, 1 },
        { "both and a wrong page", 2, 0, 1 },
        { "twice", 2, 2, 0 },
        { "short", 1, 0, 0 },
        { "nothing", 0, 0, 0 },
        { "unknown request", 0, 0, 2 },
    };

    [Theory]
    [MemberData(nameof(HostileAnswers))]
    public void A_hostile_answer_costs_a_retry_at_most(string what, int delivered, long late, long bad)
    {
        var core = New();
        Want(core, 1);
        Want(core, 2);
        var request = Next(core);
        ulong[] answer = what switch
        {
            "both" => [1, 2],
            "wrong page" => [77],
            "both and a wrong page" => [1, 77, 2],
            "twice" => [1, 2, 1, 2],
            "short" => [1],
            "nothing" => [],
            _ => [1, 2],
        };
        var id = what == "unknown request" ? request.Id + 1000 : request.Id;
        foreach (var page in answer) core.OnPage(id, new Gfn(page), PageContentKind.Bytes, out _);
        core.OnRequestDone(request.Id, 1);

        Assert.Equal((delivered, late, bad), ((int)core.Counters.Delivered, core.Counters.Late, core.Counters.Bad));
        Assert.Equal(2 - delivered, Drain(core).Sum(r => r.Pages.Length));
    }

    [Fact]
    public void A_source_that_keeps_answering_wrongly_is_given_up()
    {
        var core = New(new FetcherSettings { MostBadAnswers = 3 }, sources: 2);
        for (var i = 0; i < 3; i++)
        {
            Want(core, 1);
            var request = Next(core);
            Assert.Equal(0, request.Source);
            Assert.Equal(i == 2, core.OnRequestFailed(request.Id, FetchFailure.BadAnswer));
        }

        Assert.Equal((false, true), (core.IsUp(0), core.IsUp(1)));
        Assert.Equal(1, Next(core).Source);
    }

    [Fact]
    public void Hedges_stay_within_a_tenth_of_what_was_asked_for()
    {
        var core = New(new FetcherSettings { RequestPages = 1, HedgeFloorNs = Millisecond }, sources: 2);
        for (ulong page = 0; page < 100; page++) Want(core, page);
        var requests = Drain(core);
        foreach (var request in requests.Take(50))
        {
            Assert.True(core.OnPage(request.Id, new Gfn(request.Pages[0]), PageContentKind.Bytes, out _));
            core.OnRequestDone(request.Id, 1000);
        }

        var hedges = new List<(ulong Id, int Source, ulong Page)>();
        Assert.Null(core.NextHedge(Millisecond - 1));
        while (core.NextHedge(Millisecond) is { } hedge) hedges.Add((hedge.Id, hedge.Source, hedge.Ranges[0].Start.Value));

        Assert.Equal(10, hedges.Count);
        Assert.Equal(10, core.Counters.Hedged);
        foreach (var hedge in hedges)
        {
            var slow = requests.Single(r => r.Pages[0] == hedge.Page);
            Assert.NotEqual(slow.Source, hedge.Source);
            Assert.True(core.OnPage(hedge.Id, new Gfn(hedge.Page), PageContentKind.Bytes, out _));
            core.OnRequestDone(hedge.Id, 2 * Millisecond);
            Assert.False(core.OnPage(slow.Id, new Gfn(hedge.Page), PageContentKind.Bytes, out _));
        }

        Assert.Equal((10L, 0L), (core.Counters.Late, core.Counters.Bad));
    }

    [Fact]
    public void A_page_survives_the_loss_of_both_its_request_and_its_hedge()
    {
        var core = New(new FetcherSettings { RequestPages = 1, HedgeFloorNs = Millisecond, HedgePercent = 100 }, sources: 2);
        for (ulong page = 0; page < 20; page++)
        {
            Want(core, page);
            var request = Next(core);
            core.OnPage(request.Id, new Gfn(page), PageContentKind.Bytes, out _);
            core.OnRequestDone(request.Id, 10);
        }

        Want(core, 500);
        var slow = Next(core);
        var hedge = core.NextHedge(2 * Millisecond);
        Assert.NotNull(hedge);
        core.OnRequestFailed(slow.Id, FetchFailure.Cancelled);
        Assert.Null(core.NextRequest(0));
        core.OnRequestFailed(hedge.Id, FetchFailure.Cancelled);
        Assert.Equal([500UL], Next(core).Pages);
    }

    [Fact]
    public void Wrong_answers_are_forgotten_after_right_ones()
    {
        var core = New(new FetcherSettings { MostBadAnswers = 2, ForgiveAnswers = 3, RequestPages = 1 });
        Want(core, 1000);
        for (ulong round = 0; round < 5; round++)
        {
            Assert.False(core.OnRequestFailed(Next(core).Id, FetchFailure.BadAnswer));
            for (ulong i = 0; i < 3; i++)
            {
                Want(core, round * 3 + i);
                var right = Next(core);
                Assert.True(core.OnPage(right.Id, new Gfn(right.Pages[0]), PageContentKind.Bytes, out _));
                core.OnRequestDone(right.Id, 1000);
            }

            Want(core, 1000 + round);
        }

        Assert.True(core.IsUp(0));
        Assert.False(core.OnRequestFailed(Next(core).Id, FetchFailure.BadAnswer));
        Assert.True(core.OnRequestFailed(Next(core).Id, FetchFailure.BadAnswer));
    }

    [Fact]
    public void A_spare_is_asked_for_hedges_and_when_the_own_source_is_silent_or_gone()
    {
        var core = new FetcherCore(new FetcherSettings { RequestPages = 1, TimeoutNs = 100 * Millisecond, Hedge = false });
        Assert.Equal((0, 1), (core.AddSource(), core.AddSource(isSpare: true)));
        foreach (var page in (ulong[])[1, 2, 3]) Want(core, page);
        Assert.All(Drain(core), r => Assert.Equal(0, r.Source));

        core.OnTick(200 * Millisecond, _cancels);
        var spare = Drain(core, 200 * Millisecond);
        Assert.Equal([1, 1, 1], spare.Select(r => r.Source));

        core.SourceIsDown(1);
        var own = Drain(core, 201 * Millisecond);
        Assert.Equal([0, 0, 0], own.Select(r => r.Source));
        Assert.True(core.OnPage(own[0].Id, new Gfn(own[0].Pages[0]), PageContentKind.Bytes, out _));
        core.SourceIsUp(1);
        Want(core, 4);
        Assert.Equal(0, Next(core).Source);
        core.SourceIsDown(0);
        Assert.All(Drain(core), r => Assert.Equal(1, r.Source));
    }

    [Fact]
    public void Background_pages_that_a_source_held_for_in_place_go_back_to_their_requester_unless_others_want_them()
    {
        var core = New(new FetcherSettings { MostBadAnswers = 1 });
        foreach (var page in (ulong[])[1, 2, 3]) Want(core, page, FetchPriority.Background);
        var background = Next(core);
        Want(core, 2, requester: Reader);

        Assert.Equal([(new Gfn(1), Memslot), (new Gfn(3), Memslot)], core.TakeNotNeeded(background.Id));
        Assert.False(core.OnRequestFailed(background.Id, FetchFailure.NotNeeded));

        var again = Next(core);
        Assert.Equal((FetchPriority.Demand, 2UL), (again.Priority, Assert.Single(again.Pages)));
        Assert.Empty(core.TakeNotNeeded(again.Id));
        Assert.Equal(1, core.PagesHeld);
    }

    private static FetcherCore New(FetcherSettings? settings = null, int sources = 1)
    {
        var core = new FetcherCore(settings ?? new FetcherSettings());
        for (var i = 0; i < sources; i++) Assert.Equal(i, core.AddSource());
        return core;
    }

    private static void Want(
        FetcherCore core, ulong page, FetchPriority priority = FetchPriority.Demand, int requester = Memslot) =>
        core.Want(new Gfn(page), priority, requester);

    private static Sent Next(FetcherCore core) =>
        Sent.Of(core.NextRequest(0) ?? throw new InvalidOperationException("nothing to send"));

    private static List<Sent> Drain(FetcherCore core, long nowNs = 0)
    {
        var all = new List<Sent>();
        while (core.NextRequest(nowNs) is { } request) all.Add(Sent.Of(request));
        return all;
    }

    // Requests are reused by the core: a copy of what was sent.
    private sealed record Sent(ulong Id, int Source, FetchPriority Priority, GfnRange[] Ranges, ulong[] Pages)
    {
        public static Sent Of(FetchRequest request) => new(
            request.Id, request.Source, request.Priority, [.. request.Ranges],
            [.. request.Ranges.SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.Start.Value + (ulong)i))]);
    }
}
