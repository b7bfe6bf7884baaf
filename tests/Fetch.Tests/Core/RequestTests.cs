using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests.Core;

/// <summary>Which pages are asked for, in which requests and in which order.</summary>
public sealed class RequestTests
{
    private const int Memslot = 0;
    private const int Reader = 1;

    [Fact]
    public void Neighbours_travel_in_one_request_and_a_request_is_bounded()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 4 });
        rig.WantAll([7, 8, 9, 20, 30]);
        var asked = rig.Drain();
        Assert.Equal([new GfnRange(new Gfn(7), 3), new GfnRange(new Gfn(20), 1)], asked[0].Ranges);
        Assert.Equal([30UL], asked[1].Pages);
        Assert.Equal(2, asked.Count);
    }

    [Fact]
    public void Demand_goes_before_background_that_was_asked_for_earlier()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 2 });
        rig.WantAll([1, 2, 3], FetchPriority.Background);
        rig.Want(100);
        Assert.Equal(
            [(FetchPriority.Demand, 1), (FetchPriority.Background, 2), (FetchPriority.Background, 1)],
            rig.Drain().Select(a => (a.Priority, a.Pages.Length)));
    }

    [Fact]
    public void A_promoted_page_leaves_the_background_and_is_asked_for_once()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 1 });
        rig.WantAll([1, 2, 3], FetchPriority.Background);
        foreach (var page in (ulong[])[3, 3, 99]) rig.Core.Promote(new Gfn(page), 0);
        Assert.Equal(2, rig.Core.BackgroundHeld);
        Assert.Equal([3UL, 1UL, 2UL], rig.Drain().SelectMany(a => a.Pages));
        Assert.Equal(1, rig.Core.Counters.Promoted);
    }

    [Fact]
    public void Wanting_a_background_page_on_demand_promotes_it()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 1 });
        rig.WantAll([1, 2], FetchPriority.Background);
        rig.Want(2);
        Assert.Equal([2UL, 1UL], rig.Drain().SelectMany(a => a.Pages));
        Assert.Equal((1L, 1L), (rig.Core.Counters.Merged, rig.Core.Counters.Promoted));
    }

    [Fact]
    public void A_page_wanted_by_several_is_fetched_once_and_given_to_each()
    {
        var rig = new EngineRig();
        rig.WantAll([5, 6]);
        var asked = rig.Next();
        foreach (var requester in (int[])[Reader, Memslot, 2]) rig.Want(5, requester: requester);
        Assert.Empty(rig.Drain());
        rig.Answer(asked);
        Assert.Equal([(Memslot, 5UL), (Memslot, 6UL), (Reader, 5UL), (2, 5UL)], rig.Delivered.OrderBy(d => d));
        Assert.Equal((3L, 2L, 0), (rig.Core.Counters.Merged, rig.Core.Counters.Delivered, rig.Core.PagesHeld));
    }

    [Fact]
    public void Wanting_says_how_many_pages_are_new_to_the_requester()
    {
        var rig = new EngineRig();
        Assert.Equal(4, rig.Core.Want(new GfnRange(new Gfn(0), 4), FetchPriority.Background, Memslot, 0));
        Assert.Equal(2, rig.Core.Want(new GfnRange(new Gfn(2), 4), FetchPriority.Background, Memslot, 0));
        Assert.Equal(6, rig.Core.Want(new GfnRange(new Gfn(0), 6), FetchPriority.Demand, Reader, 0));
        Assert.Equal(0, rig.Core.Want(new GfnRange(new Gfn(0), 6), FetchPriority.Demand, Reader, 0));
    }

    [Fact]
    public void Background_that_is_on_its_way_is_bounded_and_demand_goes_past_it()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 2, BackgroundWindowPages = 4, WindowPages = 6 });
        for (ulong page = 0; page < 10; page++) rig.Want(page, FetchPriority.Background);
        Assert.Equal(2, rig.Drain().Count);
        for (ulong page = 50; page < 60; page++) rig.Want(page);
        Assert.Equal([50UL, 51UL], rig.Drain().SelectMany(a => a.Pages));
    }

    [Fact]
    public void Cancelling_the_background_keeps_demand_and_what_is_on_its_way()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 1, BackgroundWindowPages = 1 });
        rig.Want(1, FetchPriority.Background);
        var underWay = rig.Next();
        rig.WantAll([2, 3], FetchPriority.Background);
        rig.Core.Promote(new Gfn(3), 0);
        rig.Core.CancelBackground();
        Assert.Equal([3UL], rig.Drain().SelectMany(a => a.Pages));
        rig.Answer(underWay);
        Assert.Equal([(Memslot, 1UL)], rig.Delivered);
        Assert.Equal((1, 0), (rig.Core.PagesHeld, rig.Core.BackgroundHeld));
    }

    [Fact]
    public void What_a_requester_gives_up_is_fetched_for_others_and_cancelled_where_there_are_none()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 2, WindowPages = 4 });
        rig.WantAll([1, 2, 3, 4, 5]);
        var asked = rig.Drain();
        rig.Want(2, requester: Reader);
        rig.Core.Abandon(new GfnRange(new Gfn(1), 5), Memslot);
        Assert.Empty(rig.Drain());
        Assert.Equal([(0, asked[1].Id)], rig.Cancelled);
        Assert.Equal(1, rig.Core.PagesHeld);
        rig.Answer(asked[0]);
        Assert.Equal([(Reader, 2UL)], rig.Delivered);
        // What was cancelled and comes nevertheless is late; what was on its way with others too.
        rig.Answer(asked[1]);
        Assert.Equal((3L, 0L, 0), (rig.Core.Counters.Late, rig.Core.Counters.Bad, rig.Core.PagesHeld));
        // Wanted again, it is asked for again.
        rig.Want(3);
        Assert.Equal([3UL], rig.Next().Pages);
    }

    [Fact]
    public void One_of_several_who_gives_up_takes_nothing_from_the_others()
    {
        var rig = new EngineRig();
        for (var requester = 0; requester < 4; requester++) rig.Want(9, requester: requester);
        var asked = rig.Next();
        foreach (var requester in (int[])[2, 0, 7]) rig.Core.Abandon(new GfnRange(new Gfn(9), 1), requester);
        rig.Answer(asked);
        Assert.Equal([(1, 9UL), (3, 9UL)], rig.Delivered.OrderBy(d => d));
    }

    [Fact]
    public void Background_pages_that_a_source_takes_to_be_in_place_go_back_unless_somebody_needs_them()
    {
        var rig = new EngineRig(new FetchSettings { MaxBadAnswers = 1 });
        rig.WantAll([1, 2, 3, 4], FetchPriority.Background);
        var background = rig.Next();
        rig.Want(2, FetchPriority.Background, Reader);
        rig.Core.Promote(new Gfn(4), 0);
        rig.Fail(background.Id, FetchFailure.NotNeeded);
        Assert.Equal([(Memslot, 1UL), (Memslot, 3UL)], rig.NotSent);

        var again = rig.Next();
        Assert.Equal(FetchPriority.Demand, again.Priority);
        Assert.Equal([2UL, 4UL], again.Pages);
        // Who waits for a page does not have it: that is a wrong answer.
        rig.Fail(again.Id, FetchFailure.NotNeeded);
        Assert.Equal([(0, SourceLoss.BadAnswers)], rig.GivenUp);
        Assert.Equal(2, rig.Core.PagesHeld);
    }

    [Fact]
    public void What_has_to_be_asked_for_again_keeps_its_priority_and_goes_before_others()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 2, WindowPages = 4, BackgroundWindowPages = 2 }, sources: 1);
        rig.WantAll([1, 2], FetchPriority.Background);
        rig.WantAll([11, 12]);
        var asked = rig.Drain();
        rig.WantAll([13, 14]);
        rig.WantAll([3, 4], FetchPriority.Background);
        foreach (var one in asked) rig.Fail(one.Id, FetchFailure.BadAnswer);
        Assert.Equal([11UL, 12UL, 13UL, 14UL], rig.Drain().SelectMany(a => a.Pages));
        rig.Core.Abandon(new GfnRange(new Gfn(11), 4), Memslot);
        var background = rig.Next();
        Assert.Equal(FetchPriority.Background, background.Priority);
        Assert.Equal([1UL, 2UL], background.Pages);
    }
}
