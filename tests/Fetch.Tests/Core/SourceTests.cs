using Userfault.Mmu;
using Userfault.Paging;

namespace Userfault.Fetch.Tests.Core;

/// <summary>Sources that are lost, silent, slow or wrong.</summary>
public sealed class SourceTests
{
    private const long Millisecond = 1_000_000;

    [Fact]
    public void What_was_asked_of_a_lost_source_is_asked_of_another()
    {
        var rig = new EngineRig(sources: 2);
        rig.WantAll([1, 2]);
        var lost = rig.Next();
        Assert.Equal(0, lost.Source);
        rig.Answer(lost.Id, [1], isLast: false);
        rig.RemoveSource(0);
        Assert.Equal([(0, SourceLoss.Removed)], rig.GivenUp);
        Assert.Equal([(0, lost.Id)], rig.Cancelled);

        var retry = rig.Next();
        Assert.Equal((1, 2UL), (retry.Source, retry.Pages.Single()));
        Assert.Equal(1, rig.Core.Counters.Retried);
        // The line had not lost it after all: late, and dropped.
        rig.Answer(lost.Id, [2]);
        Assert.Equal([(0, 1UL)], rig.Delivered);
        Assert.Equal((1L, 0L), (rig.Core.Counters.Late, rig.Core.Counters.Bad));
    }

    [Fact]
    public void Without_a_source_everything_is_kept_for_one_that_comes_or_handed_back()
    {
        var rig = new EngineRig();
        rig.Want(9);
        var lost = rig.Next();
        rig.Want(9, requester: 1);
        rig.Want(4, FetchPriority.Background);
        rig.Fail(lost.Id, FetchFailure.SourceLost);
        Assert.Equal([(0, SourceLoss.ConnectionLost)], rig.GivenUp);
        Assert.False(rig.Core.HasSource);
        Assert.Empty(rig.Drain());
        Assert.Equal(0, rig.Core.AddSource());
        Assert.Equal([9UL, 4UL], rig.Drain().SelectMany(a => a.Pages));

        rig.RemoveSource(0);
        rig.FailAll();
        Assert.Equal(
            [(0, 4UL, FetchPriority.Background), (0, 9UL, FetchPriority.Demand), (1, 9UL, FetchPriority.Demand)], rig.Failed);
        Assert.Equal((0, 0, 0), (rig.Core.PagesHeld, rig.Core.BackgroundHeld, rig.Core.RequestsOpen));
        rig.Core.AddSource();
        rig.Want(9);
        Assert.Equal([9UL], rig.Next().Pages);
    }

    [Fact]
    public void An_overdue_request_is_cancelled_and_asked_for_again_elsewhere()
    {
        var rig = new EngineRig(new FetchSettings { TimeoutNs = 100 * Millisecond }, sources: 2);
        rig.Want(1);
        var slow = rig.Next();
        Assert.Empty(rig.Tick((100 * Millisecond) - 1));
        Assert.Empty(rig.Cancelled);
        var again = Assert.Single(rig.Tick(100 * Millisecond));
        Assert.Equal([(0, slow.Id)], rig.Cancelled);
        Assert.Equal((1, 1UL), (again.Source, again.Pages.Single()));
        Assert.True(rig.Core.IsUp(0));
    }

    [Fact]
    public void A_machine_that_stood_still_loses_no_source()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 1, MaxBadAnswers = 3, TimeoutNs = 100 * Millisecond, Hedge = false }, sources: 2);
        for (ulong page = 0; page < 64; page++) rig.Want(page);
        Assert.Equal(64, rig.Drain().Count);
        var again = rig.Tick(500 * Millisecond);
        Assert.Equal((64, 64), (rig.Cancelled.Count, again.Count));
        Assert.Empty(rig.GivenUp);

        // A page ends a source's silence; three sweeps without one are its end.
        again = rig.Tick(600 * Millisecond);
        rig.Answer(again.First(r => r.Source == 0));
        rig.Tick(700 * Millisecond);
        Assert.Equal([(1, SourceLoss.Silent)], rig.GivenUp);
        Assert.True(rig.Core.IsUp(0));
    }

    [Fact]
    public void A_silent_source_is_asked_last_and_tried_with_a_background_page()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 4, TimeoutNs = 100 * Millisecond, Hedge = false }, sources: 2);
        rig.Want(1);
        rig.Drain();
        Assert.Equal(1, Assert.Single(rig.Tick(100 * Millisecond)).Source);
        // Its time has not come.
        rig.WantAll([10, 11], FetchPriority.Background);
        Assert.Equal(1, rig.Next().Source);
        rig.NowNs = 200 * Millisecond;
        rig.WantAll([20, 21, 22], FetchPriority.Background);
        rig.Want(2);
        var asked = rig.Drain();
        Assert.Equal(
            [(1, FetchPriority.Demand, 1), (0, FetchPriority.Background, 1), (1, FetchPriority.Background, 2)],
            asked.Select(a => (a.Source, a.Priority, a.Pages.Length)));
        // It is well: it is asked as before.
        rig.Answer(asked[1]);
        rig.Want(3);
        Assert.Equal(0, rig.Next().Source);
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(0, 2)]
    public void Nothing_is_overdue_without_a_timeout_or_with_nobody_else_to_ask(long timeoutMs, int sources)
    {
        var rig = new EngineRig(new FetchSettings { TimeoutNs = timeoutMs * Millisecond }, sources);
        rig.Want(1);
        var slow = rig.Next();
        Assert.Empty(rig.Tick(1_000_000 * Millisecond));
        Assert.Empty(rig.Cancelled);
        rig.Answer(slow);
        Assert.Equal([(0, 1UL)], rig.Delivered);
    }

    public static TheoryData<string, ulong[], int, long, long> HostileAnswers() => new()
    {
        // what the source does with a request for pages 1 and 2, and what comes of it: delivered, late, bad
        { "both", [1, 2], 2, 0, 0 },
        { "the other way round", [2, 1], 2, 0, 0 },
        { "a wrong page", [77], 0, 0, 1 },
        { "both and a wrong page", [1, 77, 2], 2, 0, 1 },
        { "twice", [1, 2, 1, 2], 2, 2, 0 },
        { "short", [1], 1, 0, 0 },
        { "nothing", [], 0, 0, 0 },
    };

    [Theory]
    [MemberData(nameof(HostileAnswers))]
    public void A_hostile_answer_costs_a_retry_at_most(string what, ulong[] answer, int delivered, long late, long bad)
    {
        var rig = new EngineRig();
        rig.WantAll([1, 2]);
        rig.Answer(rig.Next().Id, answer);
        var counters = rig.Core.Counters;
        Assert.Equal((delivered, late, bad), ((int)counters.Delivered, counters.Late, counters.Bad));
        Assert.True(rig.Drain().Sum(a => a.Pages.Length) == 2 - delivered, what);
    }

    [Fact]
    public void An_answer_to_a_request_that_was_never_made_goes_nowhere()
    {
        var rig = new EngineRig();
        rig.WantAll([1, 2]);
        var asked = rig.Next();
        rig.Answer(asked.Id + 1000, [1, 2]);
        rig.Fail(asked.Id + 1000, FetchFailure.SourceLost);
        Assert.Equal((0L, 2L, 2), (rig.Core.Counters.Delivered, rig.Core.Counters.Bad, rig.Core.PagesHeld));
        Assert.True(rig.Core.HasSource);
        rig.Answer(asked);
        Assert.Equal(2, rig.Delivered.Count);
    }

    [Theory]
    [InlineData(FetchFailure.BadAnswer)]
    [InlineData(FetchFailure.OutsideImage)]
    [InlineData(FetchFailure.Cancelled)]
    [InlineData(FetchFailure.NotNeeded)]
    public void A_source_that_keeps_refusing_is_given_up(FetchFailure failure)
    {
        var rig = new EngineRig(new FetchSettings { MaxBadAnswers = 3 }, sources: 2);
        for (var i = 0; i < 3; i++)
        {
            rig.Want(1);
            var asked = rig.Next();
            Assert.Equal(0, asked.Source);
            Assert.Empty(rig.GivenUp);
            rig.Fail(asked.Id, failure);
        }

        Assert.Equal([(0, SourceLoss.BadAnswers)], rig.GivenUp);
        Assert.Equal(1, rig.Next().Source);
    }

    [Fact]
    public void Wrong_answers_are_forgotten_after_right_ones_and_one_that_comes_back_begins_anew()
    {
        var rig = new EngineRig(new FetchSettings { MaxBadAnswers = 2, ForgiveAnswers = 3, RequestPages = 1 });
        for (ulong round = 0; round < 5; round++)
        {
            rig.Want(1000);
            rig.Fail(rig.Next().Id, FetchFailure.BadAnswer);
            rig.Answer(rig.Next());
            for (ulong i = 0; i < 2; i++)
            {
                rig.Want((round * 3) + i);
                rig.Answer(rig.Next());
            }
        }

        Assert.Empty(rig.GivenUp);
        rig.Want(1);
        rig.Answer(rig.Next().Id, [77]);
        rig.Answer(rig.Next().Id, [77]);
        Assert.Equal([(0, SourceLoss.BadAnswers)], rig.GivenUp);
        Assert.Equal(0, rig.Core.AddSource());
        rig.Answer(rig.Next().Id, [77]);
        Assert.Single(rig.GivenUp);
        rig.Answer(rig.Next());
        Assert.Equal(0, rig.Core.PagesHeld);
    }

    [Fact]
    public void A_spare_is_asked_for_hedges_and_when_the_own_source_is_silent_or_gone()
    {
        var rig = new EngineRig(new FetchSettings { RequestPages = 1, TimeoutNs = 100 * Millisecond, Hedge = false });
        Assert.Equal(1, rig.Core.AddSource(isSpare: true));
        rig.WantAll([1, 2, 3]);
        Assert.All(rig.Drain(), a => Assert.Equal(0, a.Source));
        Assert.Equal([1, 1, 1], rig.Tick(200 * Millisecond).Select(a => a.Source));

        rig.RemoveSource(1);
        var own = rig.Drain();
        Assert.Equal([0, 0, 0], own.Select(a => a.Source));
        rig.Answer(own[0]);
        Assert.Equal(1, rig.Core.AddSource(isSpare: true));
        rig.Want(4);
        Assert.Equal(0, rig.Next().Source);
        rig.RemoveSource(0);
        Assert.All(rig.Drain(), a => Assert.Equal(1, a.Source));
    }

    [Fact]
    public void Two_engines_that_ask_one_connection_never_use_one_number()
    {
        var numbers = new RequestNumbers();
        var cores = new[] { new FetchCore(new FetchSettings(), numbers), new FetchCore(new FetchSettings(), numbers) };
        var ids = new HashSet<ulong>();
        for (ulong page = 0; page < 10; page++)
        {
            foreach (var core in cores)
            {
                if (page == 0) core.AddSource();
                core.Want(new GfnRange(new Gfn(page), 1), FetchPriority.Demand, 0, 0);
                core.Decide(0);
                Assert.True(core.TryTakeEffect(out var effect));
                Assert.True(ids.Add(effect.Request!.Id));
            }
        }
    }
}
