using Akka.Actor;
using Akka.TestKit;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Tests;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Fetchers;

/// <summary>Fetchers and their pool against sources that a test answers for.</summary>
public sealed class FetcherActorSpec(ITestOutputHelper output) : Spec(output)
{
    // No ticks: nothing here depends on the clock.
    private static readonly FetchSettings Settings = new() { TickNs = 0, Hedge = false };

    [Fact]
    public void A_fetched_page_goes_to_everybody_who_asked()
    {
        var (pool, sources) = Pool(1);
        var (a, b) = (CreateTestProbe(), CreateTestProbe());
        Fetch(pool, a, 7, 8);
        var asked = sources.ExpectMsg<Asked>();
        Fetch(pool, b, 8);
        // Nothing more is asked for; a page beside them is, behind them.
        Fetch(pool, b, 100);
        Assert.Equal([100UL], sources.ExpectMsg<Asked>().Pages);
        asked.Answer();

        Assert.Equal([7UL, 8UL], PagesOf(a));
        Assert.Equal([8UL], PagesOf(b));
    }

    public static TheoryData<string> Answers() =>
        ["wrong page", "twice", "short", "late", "refused", "of another request"];

    [Theory]
    [MemberData(nameof(Answers))]
    public void A_hostile_source_gives_no_page_twice_and_loses_none(string what)
    {
        var (pool, sources) = Pool(1);
        var memslot = CreateTestProbe();
        Fetch(pool, memslot, 1, 2);
        var asked = sources.ExpectMsg<Asked>();
        switch (what)
        {
            case "wrong page":
                asked.Answer([1, 77]);
                Assert.Equal([1UL], PagesOf(memslot));
                sources.ExpectMsg<Asked>(again => Assert.Equal([2UL], again.Pages)).Answer();
                Assert.Equal([2UL], PagesOf(memslot));
                break;
            case "twice":
                asked.Answer([1, 2, 2], isLast: false);
                asked.Answer([1, 2]);
                Assert.Equal([1UL, 2UL], PagesOf(memslot));
                break;
            case "short":
                asked.Answer([2]);
                Assert.Equal([2UL], PagesOf(memslot));
                sources.ExpectMsg<Asked>(again => Assert.Equal([1UL], again.Pages)).Answer();
                Assert.Equal([1UL], PagesOf(memslot));
                break;
            case "late":
                asked.Fail(FetchFailure.Cancelled);
                var retry = sources.ExpectMsg<Asked>();
                asked.Answer();
                retry.Answer();
                Assert.Equal([1UL, 2UL], PagesOf(memslot));
                break;
            case "refused":
                asked.Fail(FetchFailure.BadAnswer);
                sources.ExpectMsg<Asked>().Answer();
                Assert.Equal([1UL, 2UL], PagesOf(memslot));
                break;
            default:
                asked.Sink.OnFailed(asked.Request.Id + 99, FetchFailure.SourceLost);
                asked.Answer();
                Assert.Equal([1UL, 2UL], PagesOf(memslot));
                break;
        }

        // The fetcher is well: what follows is what is asked for next, and nothing else came to the memslot.
        Fetch(pool, memslot, 50);
        sources.ExpectMsg<Asked>(next => Assert.Equal([50UL], next.Pages)).Answer();
        Assert.Equal([50UL], PagesOf(memslot));
    }

    [Fact]
    public void A_source_that_only_answers_wrongly_is_given_up_and_the_pages_fail_with_a_reason()
    {
        var (pool, sources) = Pool(1);
        var memslot = CreateTestProbe();
        Fetch(pool, memslot, 1);
        for (var i = 0; i < Settings.MaxBadAnswers; i++)
            sources.ExpectMsg<Asked>().Answer([77]);

        var failed = memslot.ExpectMsg<FetchFailed>();
        Assert.Equal(("no page source is left", 1UL), (failed.Reason, failed.Pages.Single().Value));
        pool.Tell(FetcherPoolProtocol.GetReports.Instance);
        ExpectMsg<FetcherPoolProtocol.ReportsComing>();
        Assert.Empty(ExpectMsg<FetcherReport>().Sources);
    }

    [Fact]
    public void A_source_that_is_lost_is_failed_over_to_its_replica()
    {
        var (pool, sources) = Pool(1, replicas: 2);
        var memslot = CreateTestProbe();
        Fetch(pool, memslot, 1, 2);
        var asked = sources.ExpectMsg<Asked>();
        asked.Answer([1], isLast: false);
        asked.Fail(FetchFailure.SourceLost);

        var other = sources.ExpectMsg<Asked>();
        Assert.NotEqual(asked.Source.Name, other.Source.Name);
        Assert.Equal([2UL], other.Pages);
        other.Answer();
        Assert.Equal([1UL], PagesOf(memslot));
        Assert.Equal([2UL], PagesOf(memslot));
    }

    [Fact]
    public void A_fetcher_that_crashes_is_restarted_and_who_waits_asks_again()
    {
        var memslot = CreateTestProbe();
        var sources = CreateTestProbe();
        IActorRef? fetcher = null;
        var opened = 0;
        IPageSource Open()
        {
            var first = Interlocked.Increment(ref opened) == 1;
            return TellingSource.Of(
                $"source {opened}",
                sources,
                // With one request out, another in the mailbox and the third throwing: as bad as it gets.
                asked =>
                {
                    if (!first || asked.Pages[0] != 2)
                        return;
                    fetcher!.Tell(
                        new FetcherProtocol.FetchPages(
                            FetchPriority.Demand,
                            [new MemoryPageRange(new MemoryPage(3), 1)]
                        ),
                        memslot
                    );
                    throw new InvalidOperationException("a source that breaks");
                }
            );
        }

        var pool = Sys.ActorOf(FetcherPoolActor.Props(Settings));
        pool.Tell(new FetcherPoolProtocol.Register(memslot));
        pool.Tell(new FetcherPoolProtocol.AddFetcher(0, [Open]));
        memslot.ExpectMsg<MemslotProtocol.AskAgain>();
        Sys.ActorSelection(pool.Path / "*").Tell(new Identify(1));
        fetcher = ExpectMsg<ActorIdentity>().Subject;

        Fetch(pool, memslot, 1);
        sources.ExpectMsg<Asked>(asked => Assert.Equal([1UL], asked.Pages));
        Fetch(pool, memslot, 2);

        // The old source's end is no news of the new one, whatever numbers its requests had.
        var third = sources.ExpectMsg<Asked>();
        Assert.Equal([3UL], third.Pages);
        Assert.Equal("source 2", third.Source.Name);
        third.Answer();
        var seen = new List<ulong>();
        memslot.FishForMessage(message =>
        {
            if (message is PagesFetched fetched)
                seen.AddRange(PagesOf(fetched));
            Assert.IsNotType<FetchFailed>(message);
            return message is MemslotProtocol.AskAgain;
        });
        Fetch(pool, memslot, 1, 2);
        sources.ExpectMsg<Asked>(asked => Assert.Equal([1UL, 2UL], asked.Pages)).Answer();
        while (seen.Count < 3)
            seen.AddRange(PagesOf(memslot));
        Assert.Equal([1UL, 2UL, 3UL], seen.Order().ToArray());
    }

    [Fact]
    public void Without_a_fetcher_pages_fail_and_who_waits_asks_again_when_one_comes()
    {
        var (memslot, sources) = (CreateTestProbe(), CreateTestProbe());
        var pool = Sys.ActorOf(FetcherPoolActor.Props(Settings));
        pool.Tell(new FetcherPoolProtocol.Register(memslot));
        Fetch(pool, memslot, 4);
        Assert.Equal(PauseReasons.NoFetcherLeft, memslot.ExpectMsg<FetchFailed>().Reason);

        pool.Tell(new FetcherPoolProtocol.AddFetcher(7, [() => TellingSource.Of("s", sources)]));
        memslot.ExpectMsg<MemslotProtocol.AskAgain>();
        Fetch(pool, memslot, 4);
        sources.ExpectMsg<Asked>().Answer();
        Assert.Equal([4UL], PagesOf(memslot));
    }

    [Fact]
    public void A_fetcher_may_leave_and_come_back_with_its_number()
    {
        var (memslot, sources) = (CreateTestProbe(), CreateTestProbe());
        var pool = Sys.ActorOf(FetcherPoolActor.Props(Settings));
        for (var i = 0; i < 3; i++)
        {
            pool.Tell(new FetcherPoolProtocol.AddFetcher(7, [() => TellingSource.Of("s", sources)]));
            pool.Tell(new FetcherPoolProtocol.RemoveFetcher(7));
        }

        pool.Tell(new FetcherPoolProtocol.AddFetcher(7, [() => TellingSource.Of("s", sources)]));
        Fetch(pool, memslot, 4);
        sources.ExpectMsg<Asked>().Answer();
        Assert.Equal([4UL], PagesOf(memslot));
    }

    [Fact]
    public void Pages_are_spread_over_fetchers_by_runs()
    {
        var (pool, sources) = Pool(3);
        var routes = new FetchRoutes([0, 1, 2]);
        pool.Tell(
            new FetcherProtocol.FetchPages(FetchPriority.Demand, [new MemoryPageRange(new MemoryPage(500), 1100)]),
            CreateTestProbe()
        );
        var pages = new List<ulong>();
        while (pages.Count < 1100)
        {
            var asked = sources.ExpectMsg<Asked>();
            Assert.All(
                asked.Pages,
                page => Assert.Equal($"source {routes.Of(new MemoryPage(page))}.0", asked.Source.Name)
            );
            pages.AddRange(asked.Pages);
        }

        Assert.Equal(Enumerable.Range(500, 1100).Select(p => (ulong)p), pages.Order());
    }

    private (IActorRef Pool, TestProbe Sources) Pool(int fetchers, int replicas = 1)
    {
        var sources = CreateTestProbe();
        var pool = Sys.ActorOf(FetcherPoolActor.Props(Settings));
        for (var i = 0; i < fetchers; i++)
        {
            var number = i;
            pool.Tell(
                new FetcherPoolProtocol.AddFetcher(
                    (ulong)i,
                    [
                        .. Enumerable
                            .Range(0, replicas)
                            .Select(r => (Func<IPageSource>)(() => TellingSource.Of($"source {number}.{r}", sources))),
                    ]
                )
            );
        }

        return (pool, sources);
    }

    private static void Fetch(IActorRef pool, IActorRef sender, params ulong[] pages) =>
        pool.Tell(
            new FetcherProtocol.FetchPages(
                FetchPriority.Demand,
                PageRuns.Of([.. pages.Select(p => new MemoryPage(p))])
            ),
            sender
        );

    private static List<ulong> PagesOf(TestProbe probe) => PagesOf(probe.ExpectMsg<PagesFetched>());

    private static List<ulong> PagesOf(PagesFetched fetched)
    {
        var pages = new List<ulong>();
        foreach (ref readonly var page in fetched.Batch.Pages)
        {
            Assert.Equal(PagerRig.TagOf(page.Page.Value), page.Tag);
            pages.Add(page.Page.Value);
        }

        fetched.Batch.Release();
        return pages;
    }
}
