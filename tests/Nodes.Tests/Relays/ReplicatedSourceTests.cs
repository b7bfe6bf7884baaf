using System.Collections.Concurrent;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Nodes.Tests;

/// <summary>
/// Several replicas as one source: what is passed on, failover, hedges, and how each request ends once.
/// </summary>
public sealed class ReplicatedSourceTests : IDisposable
{
    private const int Warm = 100;
    private const long TimeoutNs = 1_000_000;

    private readonly SyntheticImage _image = new(new SyntheticSettings(1024, Seed: 5));
    private readonly ScriptedSource[] _replicas;
    private readonly ReplicatedSource _source;
    private readonly RecordingSink _sink = new();
    private long _nowNs;

    public ReplicatedSourceTests()
    {
        _replicas = [Replica("a"), Replica("b")];
        _source = new ReplicatedSource(
            _image.Identity,
            _image.Pages,
            "both",
            new FetchSettings
            {
                HedgeFloorNs = 1000,
                TimeoutNs = TimeoutNs,
                MaxBadAnswers = 2,
            },
            () => _nowNs
        );
        foreach (var replica in _replicas)
            _source.Add(replica);
    }

    public void Dispose()
    {
        _source.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void A_request_is_passed_on_whole_and_ends_with_its_last_page()
    {
        Ask(7, 0, 300);
        Assert.Equal(300, Assert.Single(_replicas[0].Outstanding).Pages.Count);
        Next(_replicas[0]).Answer(100);
        Assert.Equal((100, 0), (_sink.Gfns.Count, _sink.EndedIds.Count));
        Next(_replicas[0]).Answer(200);
        CameOnce(300);
        // The number is free again.
        Ask(7, 0, 1);
    }

    [Fact]
    public void A_number_that_is_in_use_and_pages_outside_are_refused()
    {
        Ask(7, 0, 1);
        Assert.Throws<ArgumentException>(() => Ask(7, 5, 1));
        Ask(8, 1000, 25);
        Assert.Equal([(8UL, FetchFailure.OutsideImage)], _sink.Failures);
        Assert.Single(_replicas.SelectMany(r => r.Outstanding));
    }

    [Fact]
    public void Slow_demand_is_asked_of_the_other_replica_and_each_page_comes_once()
    {
        WarmUp();
        Ask(2, 0, 10);
        Next(_replicas[0]).Answer(4);
        _nowNs += 999;
        _source.Tick();
        Assert.Empty(_replicas[1].Outstanding);
        _nowNs += 1;
        _source.Tick();
        _source.Tick();
        // Only what is missing is asked for.
        Assert.Equal([4, 5, 6, 7, 8, 9], Assert.Single(_replicas[1].Outstanding).Pages);
        Assert.Equal(6L, _source.Counters.Hedged);
        Next(_replicas[1]).Answer(2);
        Next(_replicas[0]).Answer(4);
        Next(_replicas[1]).Answer(4);
        Next(_replicas[0]).Answer(2);
        CameOnce(10);
    }

    [Fact]
    public void A_silent_replica_is_replaced_for_what_has_not_come()
    {
        Ask(2, 0, 10, FetchPriority.Background);
        var silent = _replicas[0].Outstanding[0];
        silent.Answer(4);
        _nowNs += TimeoutNs;
        _source.Tick();
        Assert.Equal([silent.Id], _replicas[0].Cancelled);
        Assert.Equal([4, 5, 6, 7, 8, 9], Assert.Single(_replicas[1].Outstanding).Pages);
        // It wakes up.
        silent.Answer(6);
        Assert.Equal(4, _sink.Gfns.Count);
        Next(_replicas[1]).Answer(6);
        CameOnce(10);
    }

    [Fact]
    public void A_replica_that_answers_wrongly_is_let_go_and_one_that_comes_back_is_asked_again()
    {
        for (ulong id = 1; id <= 2; id++)
        {
            Ask(id, id * 10, 1);
            Next(_replicas[0]).Fail(FetchFailure.BadAnswer);
            Assert.Equal(id == 2, _replicas[0].IsGivenUp);
            // Asked again, there or elsewhere.
            Next(_replicas.First(r => r.Outstanding.Count > 0)).Answer(1);
        }

        Assert.Equal((1, 2), (_source.Replicas, _sink.EndedIds.Count));
        _source.Remove(_replicas[0]);
        var anew = Replica("a anew");
        _source.Add(anew);
        Assert.Equal(2, _source.Replicas);
        Ask(10, 0, 1);
        Ask(11, 1, 1);
        Assert.Equal((1, 1), (anew.Outstanding.Count, _replicas[1].Outstanding.Count));
    }

    [Fact]
    public void A_lost_replica_is_replaced_and_without_any_each_request_ends()
    {
        Ask(2, 0, 4);
        Next(_replicas[0]).Answer(1);
        Next(_replicas[0]).Fail(FetchFailure.SourceLost);
        Assert.Equal([1, 2, 3], Assert.Single(_replicas[1].Outstanding).Pages);
        Ask(3, 10, 2, FetchPriority.Background);
        _source.Remove(_replicas[1]);
        Assert.Equal([(2UL, FetchFailure.SourceLost), (3UL, FetchFailure.SourceLost)], _sink.Failures.Order());
        Ask(4, 0, 1);
        Assert.Equal((4UL, FetchFailure.SourceLost), _sink.Failures[^1]);
        Assert.Equal([0UL], _sink.Gfns);
    }

    [Fact]
    public void A_request_that_is_cancelled_is_cancelled_where_it_went_and_ends_once()
    {
        WarmUp();
        Ask(2, 0, 10);
        _nowNs += 5000;
        _source.Tick();
        _source.Cancel(2);
        _source.Cancel(2);
        Assert.Equal((1, 1), (_replicas[0].Cancelled.Count, _replicas[1].Cancelled.Count));
        Next(_replicas[0]).Answer(10);
        Assert.Equal([(2UL, FetchFailure.Cancelled)], _sink.Failures);
        Assert.Empty(_sink.Gfns);
    }

    [Fact]
    public void Two_who_ask_for_one_page_have_it_from_one_answer()
    {
        var other = new RecordingSink();
        Ask(1, 0, 4);
        _source.Request(
            new PageRequest(2, FetchPriority.Demand, 0),
            [new MemoryPageRange(new MemoryPage(2), 4)],
            other
        );
        Assert.Equal([4, 5], Assert.Single(_replicas[1].Outstanding).Pages);
        _source.Cancel(1);
        Assert.Empty(_replicas[0].Cancelled);
        Next(_replicas[0]).Answer(4);
        Assert.Equal((2, 0), (other.Gfns.Count, other.EndedIds.Count));
        Next(_replicas[1]).Answer(2);
        Assert.Equal([2UL, 3UL, 4UL, 5UL], other.Gfns.Order());
        Assert.Single(other.EndedIds);
        Assert.Empty(_sink.Gfns);
    }

    [Fact]
    public void What_a_replica_takes_to_be_in_place_ends_background_and_no_demand()
    {
        Ask(1, 0, 4, FetchPriority.Background);
        Next(_replicas[0]).Fail(FetchFailure.NotNeeded);
        Assert.Equal([(1UL, FetchFailure.NotNeeded)], _sink.Failures);
        Ask(2, 0, 4);
        Next(_replicas[0]).Fail(FetchFailure.NotNeeded);
        Assert.Single(_sink.Failures);
        Assert.Equal(4, _replicas.SelectMany(r => r.Outstanding).Single().Pages.Count);
    }

    /// <summary>
    /// A source that answers within the call, and one who asks for the next page from within the answer.
    /// </summary>
    [Fact]
    public void Whoever_asks_again_from_within_an_answer_is_answered()
    {
        using var local = new LocalPageSource(_image);
        using var source = new ReplicatedSource(_image.Identity, 0, "local", new FetchSettings(), () => 0);
        source.Add(local);
        var chain = Chain(source, most: 500);
        Assert.Equal(500, chain.Batches.Count(b => b.IsLast));
        Assert.Equal((500, 0), (chain.Batches.Count, chain.Failures.Count));
        source.Request(new PageRequest(9999, FetchPriority.Demand, 0), [], _sink);
        Assert.Equal((0, 1), (_sink.Gfns.Count, _sink.EndedIds.Count));
    }

    /// <summary>Threads that ask and cancel, and replicas that answer on threads of their own, come and go.</summary>
    [Fact]
    public void Every_request_ends_once_whatever_threads_do()
    {
        const int Requests = 3000;
        const int Askers = 3;
        using var source = new ReplicatedSource(
            _image.Identity,
            _image.Pages,
            "threads",
            new FetchSettings { HedgeFloorNs = 0 },
            () => TimeProvider.System.GetTimestamp()
        );
        using var requests = new BlockingCollection<Asked>();
        using var first = Threaded(requests);
        using var second = Threaded(requests);
        // One for each source.
        var answerers = new[] { Answerer(requests), Answerer(requests) };
        source.Add(first);
        source.Add(second);
        var sink = new RecordingSink();
        var askers = Enumerable
            .Range(0, Askers)
            .Select(asker => new Thread(() =>
            {
                var random = new Random(asker);
                for (var i = 0; i < Requests; i++)
                {
                    var id = (ulong)((i * Askers) + asker);
                    var first = (ulong)random.Next(1000);
                    source.Request(
                        new PageRequest(id, i % 3 == 0 ? FetchPriority.Background : FetchPriority.Demand, 0),
                        [new MemoryPageRange(new MemoryPage(first), (ulong)random.Next(1, 9))],
                        sink
                    );
                    if (i % 7 == 0)
                        source.Cancel(id);
                    if (i % 50 == 0)
                        source.Tick();
                }
            }))
            .ToList();
        foreach (var asker in askers)
            asker.Start();
        for (var i = 0; i < 200; i++)
        {
            source.Remove(second);
            source.Add(second);
        }

        foreach (var asker in askers)
            asker.Join();
        sink.EndedHere(Requests * Askers);
        requests.CompleteAdding();
        foreach (var answerer in answerers)
            answerer.Join();
        Assert.Equal(Enumerable.Range(0, Requests * Askers).Select(id => (ulong)id), sink.EndedIds.Order());
    }

    private void CameOnce(int count)
    {
        Assert.Equal(Enumerable.Range(0, count).Select(i => (ulong)i), _sink.Gfns);
        Assert.Single(_sink.EndedIds);
    }

    // Answered at once, so that it is known what is usual.
    private void WarmUp()
    {
        for (ulong i = 0; i < Warm; i++)
        {
            Ask(100 + i, i, 1);
            Next(_replicas[0]).Answer(1);
        }

        _sink.Clear();
    }

    private void Ask(ulong id, ulong first, ulong count, FetchPriority priority = FetchPriority.Demand) =>
        _source.Request(new PageRequest(id, priority, 0), [new MemoryPageRange(new MemoryPage(first), count)], _sink);

    // The request asked longest ago.
    private static Asked Next(ScriptedSource replica) => replica.Outstanding[0];

    private ScriptedSource Replica(string name) => new(name) { Identity = _image.Identity, Pages = _image.Pages };

    // Asks for the next page from within the answer.
    private static RecordingSink Chain(ReplicatedSource source, ulong most)
    {
        RecordingSink? sink = null;
        sink = new RecordingSink
        {
            OnEnd = (id, _) =>
            {
                if (id < most)
                    Ask(id + 1);
            },
        };
        Ask(1);
        return sink;

        void Ask(ulong id) =>
            source.Request(
                new PageRequest(id, FetchPriority.Demand, 0),
                [new MemoryPageRange(new MemoryPage(id), 1)],
                sink!
            );
    }

    private ScriptedSource Threaded(BlockingCollection<Asked> requests) =>
        new("threaded")
        {
            Identity = _image.Identity,
            Pages = _image.Pages,
            OnRequest = requests.Add,
        };

    // Answers some requests in two batches.
    private static Thread Answerer(BlockingCollection<Asked> requests)
    {
        var thread = new Thread(() =>
        {
            foreach (var asked in requests.GetConsumingEnumerable())
            {
                if (asked.Id % 2 == 0 && asked.Pages.Count > 1)
                    asked.Answer(asked.Pages.Count / 2);
                asked.Answer();
            }
        })
        {
            IsBackground = true,
        };
        thread.Start();
        return thread;
    }
}
