using Userfault.Fetch;
using Userfault.Pages;

namespace Userfault.Nodes.Tests;

/// <summary>
/// Several replicas as one source: what is passed on, failover, hedges, and how each request ends once.
/// </summary>
public sealed class ReplicatedSourceTests : IDisposable
{
    private const int Warm = 100;
    private const long TimeoutNs = 1_000_000;

    private readonly SyntheticImage _image = new(new SyntheticSettings(1024, Seed: 5));
    private readonly Replica[] _replicas;
    private readonly ReplicatedSource _source;
    private readonly Sink _sink = new();
    private long _nowNs;

    public ReplicatedSourceTests()
    {
        _replicas = [new Replica(_image, "a"), new Replica(_image, "b")];
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
        Assert.Equal(300, Assert.Single(_replicas[0].Asked).Pages.Count);
        _replicas[0].Answer(100);
        Assert.Equal((100, 0), (_sink.Pages.Count, _sink.Ends));
        _replicas[0].Answer(200);
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
        Assert.Single(_replicas.SelectMany(r => r.Asked));
    }

    [Fact]
    public void Slow_demand_is_asked_of_the_other_replica_and_each_page_comes_once()
    {
        WarmUp();
        Ask(2, 0, 10);
        _replicas[0].Answer(4);
        _nowNs += 999;
        _source.Tick();
        Assert.Empty(_replicas[1].Asked);
        _nowNs += 1;
        _source.Tick();
        _source.Tick();
        // Only what is missing is asked for.
        Assert.Equal([4, 5, 6, 7, 8, 9], Assert.Single(_replicas[1].Asked).Pages);
        Assert.Equal(6L, _source.Counters.Hedged);
        _replicas[1].Answer(2);
        _replicas[0].Answer(4);
        _replicas[1].Answer(4);
        _replicas[0].Answer(2);
        CameOnce(10);
    }

    [Fact]
    public void A_silent_replica_is_replaced_for_what_has_not_come()
    {
        Ask(2, 0, 10, FetchPriority.Background);
        var silent = _replicas[0].Asked[0];
        silent.Answer(4);
        _nowNs += TimeoutNs;
        _source.Tick();
        Assert.Equal([silent.Id], _replicas[0].Cancelled);
        Assert.Equal([4, 5, 6, 7, 8, 9], Assert.Single(_replicas[1].Asked).Pages);
        // It wakes up.
        silent.Answer(6);
        Assert.Equal(4, _sink.Pages.Count);
        _replicas[1].Answer(6);
        CameOnce(10);
    }

    [Fact]
    public void A_replica_that_answers_wrongly_is_let_go_and_one_that_comes_back_is_asked_again()
    {
        for (ulong id = 1; id <= 2; id++)
        {
            Ask(id, id * 10, 1);
            _replicas[0].Fail(FetchFailure.BadAnswer);
            Assert.Equal(id == 2, _replicas[0].IsGivenUp);
            // Asked again, there or elsewhere.
            _replicas.First(r => r.Asked.Count > 0).Answer(1);
        }

        Assert.Equal((1, 2), (_source.Replicas, _sink.Ends));
        _source.Remove(_replicas[0]);
        var anew = new Replica(_image, "a anew");
        _source.Add(anew);
        Assert.Equal(2, _source.Replicas);
        Ask(10, 0, 1);
        Ask(11, 1, 1);
        Assert.Equal((1, 1), (anew.Asked.Count, _replicas[1].Asked.Count));
    }

    [Fact]
    public void A_lost_replica_is_replaced_and_without_any_each_request_ends()
    {
        Ask(2, 0, 4);
        _replicas[0].Answer(1);
        _replicas[0].Fail(FetchFailure.SourceLost);
        Assert.Equal([1, 2, 3], Assert.Single(_replicas[1].Asked).Pages);
        Ask(3, 10, 2, FetchPriority.Background);
        _source.Remove(_replicas[1]);
        Assert.Equal([(2UL, FetchFailure.SourceLost), (3UL, FetchFailure.SourceLost)], _sink.Failures.Order());
        Ask(4, 0, 1);
        Assert.Equal((4UL, FetchFailure.SourceLost), _sink.Failures[^1]);
        Assert.Equal([0UL], _sink.Pages);
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
        _replicas[0].Answer(10);
        Assert.Equal([(2UL, FetchFailure.Cancelled)], _sink.Failures);
        Assert.Empty(_sink.Pages);
    }

    [Fact]
    public void Two_who_ask_for_one_page_have_it_from_one_answer()
    {
        var other = new Sink();
        Ask(1, 0, 4);
        _source.Request(
            new PageRequest(2, FetchPriority.Demand, 0),
            [new MemoryPageRange(new MemoryPage(2), 4)],
            other
        );
        Assert.Equal([4, 5], Assert.Single(_replicas[1].Asked).Pages);
        _source.Cancel(1);
        Assert.Empty(_replicas[0].Cancelled);
        _replicas[0].Answer(4);
        Assert.Equal((2, 0), (other.Pages.Count, other.Ends));
        _replicas[1].Answer(2);
        Assert.Equal([2UL, 3UL, 4UL, 5UL], other.Pages.Order());
        Assert.Equal(1, other.Ends);
        Assert.Empty(_sink.Pages);
    }

    [Fact]
    public void What_a_replica_takes_to_be_in_place_ends_background_and_no_demand()
    {
        Ask(1, 0, 4, FetchPriority.Background);
        _replicas[0].Fail(FetchFailure.NotNeeded);
        Assert.Equal([(1UL, FetchFailure.NotNeeded)], _sink.Failures);
        Ask(2, 0, 4);
        _replicas[0].Fail(FetchFailure.NotNeeded);
        Assert.Single(_sink.Failures);
        Assert.Equal(4, _replicas.SelectMany(r => r.Asked).Single().Pages.Count);
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
        var chain = new Chain(source, most: 500);
        chain.Ask();
        Assert.Equal(500, chain.Answers);
        source.Request(new PageRequest(9999, FetchPriority.Demand, 0), [], _sink);
        Assert.Equal((0, 1), (_sink.Pages.Count, _sink.Ends));
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
        using var first = new ThreadedReplica(_image);
        using var second = new ThreadedReplica(_image);
        source.Add(first);
        source.Add(second);
        var sink = new CountingSink(Requests * Askers);
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
        Assert.True(sink.AllEnded.Wait(TimeSpan.FromMinutes(1)), $"{sink.Ended} of {Requests * Askers} have ended");
        Assert.Equal(0, sink.EndedTwice);
    }

    private void CameOnce(int count)
    {
        Assert.Equal(Enumerable.Range(0, count).Select(i => (ulong)i), _sink.Pages);
        Assert.Equal(1, _sink.Ends);
    }

    // Answered at once, so that it is known what is usual.
    private void WarmUp()
    {
        for (ulong i = 0; i < Warm; i++)
        {
            Ask(100 + i, i, 1);
            _replicas[0].Answer(1);
        }

        _sink.Pages.Clear();
        _sink.Ends = 0;
    }

    private void Ask(ulong id, ulong first, ulong count, FetchPriority priority = FetchPriority.Demand) =>
        _source.Request(new PageRequest(id, priority, 0), [new MemoryPageRange(new MemoryPage(first), count)], _sink);

    private sealed class Sink : IPageSink
    {
        public List<ulong> Pages { get; } = [];

        public List<(ulong Id, FetchFailure Failure)> Failures { get; } = [];

        public int Ends { get; set; }

        public void OnPages(PageBatch batch)
        {
            foreach (var page in batch.Pages)
                Pages.Add(page.Page.Value);
            if (batch.IsLast)
                Ends++;
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            Failures.Add((requestId, failure));
            Ends++;
        }
    }

    private sealed class Chain(ReplicatedSource source, int most) : IPageSink
    {
        public int Answers { get; private set; }

        public void Ask() =>
            source.Request(
                new PageRequest((ulong)Answers + 1, FetchPriority.Demand, 0),
                [new MemoryPageRange(new MemoryPage((ulong)Answers), 1)],
                this
            );

        public void OnPages(PageBatch batch)
        {
            Assert.True(batch.IsLast);
            batch.Release();
            if (++Answers < most)
                Ask();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => Assert.Fail($"{failure}");
    }

    private sealed class CountingSink(int requests) : IPageSink
    {
        private readonly int[] _ends = new int[requests];
        private int _ended;

        public ManualResetEventSlim AllEnded { get; } = new();

        public int Ended => Volatile.Read(ref _ended);

        public int EndedTwice => _ends.Count(static e => e > 1);

        public void OnPages(PageBatch batch)
        {
            var (id, isLast) = (batch.RequestId, batch.IsLast);
            batch.Release();
            if (isLast)
                End(id);
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => End(requestId);

        private void End(ulong id)
        {
            if (Interlocked.Increment(ref _ends[id]) == 1 && Interlocked.Increment(ref _ended) == requests)
                AllEnded.Set();
        }
    }

    // Answers when the test says so, from the request asked longest ago.
    private sealed class Replica(SyntheticImage image, string name) : IPageSource
    {
        private readonly PageBatchPool _pool = new();

        public List<One> Asked { get; } = [];

        public List<ulong> Cancelled { get; } = [];

        public bool IsGivenUp { get; private set; }

        public string Name => name;

        public ImageIdentity Identity => image.Identity;

        public ulong Pages => image.Pages;

        public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
        {
            var pages = new List<int>();
            foreach (var range in ranges)
            {
                for (ulong i = 0; i < range.Count; i++)
                    pages.Add((int)(range.Start.Value + i));
            }

            Asked.Add(new One(_pool, request.Id, pages, sink));
        }

        public void Cancel(ulong requestId) => Cancelled.Add(requestId);

        public void GiveUp() => IsGivenUp = true;

        public void Answer(int count)
        {
            if (Asked[0].Answer(count))
                Asked.RemoveAt(0);
        }

        public void Fail(FetchFailure failure)
        {
            var asked = Asked[0];
            Asked.RemoveAt(0);
            asked.Sink.OnFailed(asked.Id, failure);
        }

        public void Dispose() { }
    }

    private sealed record One(PageBatchPool Pool, ulong Id, List<int> Pages, IPageSink Sink)
    {
        public bool Answer(int count)
        {
            var batch = Pool.Rent(Id);
            foreach (var page in Pages.Take(count))
                batch.Add(PageContent.Zero(new MemoryPage((ulong)page)));
            Pages.RemoveRange(0, count);
            batch.IsLast = Pages.Count == 0;
            Sink.OnPages(batch);
            return Pages.Count == 0;
        }
    }

    // Answers on a thread of its own, some requests in two batches.
    private sealed class ThreadedReplica : IPageSource
    {
        private readonly System.Collections.Concurrent.BlockingCollection<(
            ulong Id,
            MemoryPageRange[] Ranges,
            IPageSink Sink
        )> _asked = [];
        private readonly PageBatchPool _pool = new();
        private readonly SyntheticImage _image;
        private readonly Thread _thread;

        public ThreadedReplica(SyntheticImage image)
        {
            _image = image;
            _thread = new Thread(Run) { IsBackground = true };
            _thread.Start();
        }

        public string Name => "threaded";

        public ImageIdentity Identity => _image.Identity;

        public ulong Pages => _image.Pages;

        public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink) =>
            _asked.Add((request.Id, ranges.ToArray(), sink));

        public void Cancel(ulong requestId) { }

        public void GiveUp() { }

        public void Dispose()
        {
            _asked.CompleteAdding();
            _thread.Join();
            _asked.Dispose();
        }

        private void Run()
        {
            foreach (var (id, ranges, sink) in _asked.GetConsumingEnumerable())
            {
                var pages = ranges
                    .SelectMany(r => Enumerable.Range(0, (int)r.Count).Select(i => r.Start.Plus((ulong)i)))
                    .ToList();
                var half = id % 2 == 0 ? pages.Count / 2 : 0;
                if (half > 0)
                    sink.OnPages(Batch(id, pages.Take(half), isLast: false));
                sink.OnPages(Batch(id, pages.Skip(half), isLast: true));
            }
        }

        private PageBatch Batch(ulong id, IEnumerable<MemoryPage> pages, bool isLast)
        {
            var batch = _pool.Rent(id);
            foreach (var page in pages)
                batch.Add(PageContent.Zero(page));
            batch.IsLast = isLast;
            return batch;
        }
    }
}
