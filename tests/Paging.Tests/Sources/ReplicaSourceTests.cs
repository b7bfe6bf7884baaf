using Userfault.Mmu;

namespace Userfault.Paging.Tests.Sources;

/// <summary>Several replicas as one source: failover, hedges, and who is believed.</summary>
public sealed class ReplicaSourceTests : IDisposable
{
    private const int Warm = 100;

    private readonly SyntheticImage _image = new(new SyntheticSettings(1024, Seed: 5));
    private readonly List<ulong> _pages = [];
    private readonly List<FetchFailure> _failures = [];
    private readonly Replica[] _replicas;
    private readonly ReplicaSource _source;
    private readonly Sink _sink;
    private long _nowNs;
    private int _ends;

    public ReplicaSourceTests()
    {
        _replicas = [new Replica(this, "a"), new Replica(this, "b")];
        _source = new ReplicaSource(_image.Identity, _image.Pages, "both", new HedgeSettings { NowNs = () => _nowNs, FloorNs = 1000, Percent = 10 });
        foreach (var replica in _replicas) _source.Add(replica);
        _sink = new Sink(this);
    }

    public void Dispose()
    {
        _source.Dispose();
        _image.Dispose();
    }

    [Fact]
    public void Slow_demand_is_asked_of_the_other_replica_and_the_first_answer_wins()
    {
        WarmUp();
        Ask(2, 0, 10);
        _nowNs += 999;
        _source.HedgeSlow();
        Assert.Empty(_replicas[1].Asked);

        _nowNs += 1;
        _source.HedgeSlow();
        _source.HedgeSlow();
        Assert.Equal((10L, 10), (_source.Hedged, Assert.Single(_replicas[1].Asked).Pages.Count));
        var late = _replicas[0].Asked[0];
        _replicas[1].Answer(10);
        CameOnce(10);
        // The slower one is let go; what it says all the same is dropped.
        Assert.Equal([late.Id], _replicas[0].Cancelled);
        late.Answer(10);
        CameOnce(10);
    }

    [Fact]
    public void Whoever_goes_on_first_is_heard_alone()
    {
        WarmUp();
        Ask(2, 0, 10);
        _replicas[0].Answer(4);
        _nowNs += 5000;
        _source.HedgeSlow();
        // Only what is missing is asked for.
        Assert.Equal([4, 5, 6, 7, 8, 9], Assert.Single(_replicas[1].Asked).Pages);
        Assert.Equal(6L, _source.Hedged);

        _replicas[0].Answer(2);
        Assert.Single(_replicas[1].Cancelled);
        _replicas[1].Answer(6);
        _replicas[0].Answer(4);
        CameOnce(10);
    }

    [Fact]
    public void The_slower_one_is_asked_again_where_the_winner_is_lost()
    {
        WarmUp();
        Ask(2, 0, 10);
        _nowNs += 5000;
        _source.HedgeSlow();
        var former = _replicas[0].Asked[0].Id;
        _replicas[1].Answer(3);
        _replicas[1].Fail(FetchFailure.SourceLost);

        var again = _replicas[0].Asked[1];
        Assert.Equal([3, 4, 5, 6, 7, 8, 9], again.Pages);
        Assert.NotEqual(former, again.Id);
        again.Answer(7);
        CameOnce(10);
    }

    [Fact]
    public void One_of_two_that_fails_leaves_the_request_to_the_other()
    {
        WarmUp();
        Ask(2, 0, 10);
        _nowNs += 5000;
        _source.HedgeSlow();
        _replicas[0].Fail(FetchFailure.BadAnswer);
        Assert.Equal(0, _ends);
        _replicas[1].Answer(10);
        CameOnce(10);
        Assert.Empty(_failures);
    }

    [Fact]
    public void No_more_than_a_tenth_is_asked_for_twice()
    {
        WarmUp();
        for (ulong i = 0; i < 100; i++) Ask(1000 + (2 * i), i * 5, 5);
        _nowNs += 5000;
        _source.HedgeSlow();
        // A hundred pages for warming up and five hundred now.
        Assert.Equal((60L, 12), (_source.Hedged, _replicas[1].Asked.Count));
        // The oldest come first.
        Assert.Equal(Enumerable.Range(0, 12).Select(i => i * 5), _replicas[1].Asked.Select(a => a.Pages[0]));
    }

    [Fact]
    public void Background_is_never_hedged_nor_demand_before_enough_is_known()
    {
        Ask(2, 0, 1);
        _nowNs += 1_000_000_000;
        _source.HedgeSlow();
        Assert.Empty(_replicas[1].Asked);
        _replicas[0].Answer(1);

        WarmUp();
        Ask(2, 0, 10, FetchPriority.Background);
        _nowNs += 1_000_000_000;
        _source.HedgeSlow();
        Assert.Empty(_replicas[1].Asked);
    }

    [Fact]
    public void A_request_that_is_cancelled_is_cancelled_at_both_and_ends_once()
    {
        WarmUp();
        Ask(2, 0, 10);
        _nowNs += 5000;
        _source.HedgeSlow();
        _source.Cancel(2);
        Assert.Equal((1, 1), (_replicas[0].Cancelled.Count, _replicas[1].Cancelled.Count));
        _replicas[0].Answer(10);
        Assert.Equal([FetchFailure.Cancelled], _failures);
        Assert.Empty(_pages);
        // The number is free again.
        Ask(2, 0, 1);
    }

    [Fact]
    public void A_lost_replica_is_replaced_and_without_any_the_request_ends()
    {
        Ask(2, 0, 4);
        _replicas[0].Answer(1);
        _source.Remove(_replicas[0]);
        _replicas[0].Fail(FetchFailure.SourceLost);
        Assert.Equal([1, 2, 3], Assert.Single(_replicas[1].Asked).Pages);
        _replicas[1].Fail(FetchFailure.SourceLost);
        Assert.Equal([FetchFailure.SourceLost], _failures);
        Assert.Equal([0UL], _pages);
    }

    private void CameOnce(int count)
    {
        Assert.Equal(Enumerable.Range(0, count).Select(i => (ulong)i), _pages);
        Assert.Equal(1, _ends);
    }

    // Answers at once, each to its own replica by turns, so that it is known what is usual.
    private void WarmUp()
    {
        for (ulong i = 0; i < Warm; i++)
        {
            Ask(100 + i, i, 1);
            _replicas[i % 2].Answer(1);
        }

        _pages.Clear();
        _ends = 0;
    }

    private void Ask(ulong id, ulong first, ulong count, FetchPriority priority = FetchPriority.Demand) =>
        _source.Request(new PageRequest(id, priority, 0), [new GfnRange(new Gfn(first), count)], _sink);

    private sealed class Sink(ReplicaSourceTests test) : IPageSink
    {
        public void OnPages(PageBatch batch)
        {
            foreach (var page in batch.Pages) test._pages.Add(page.Gfn.Value);
            if (batch.IsLast) test._ends++;
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            test._failures.Add(failure);
            test._ends++;
        }
    }

    // Answers when the test says so, from the request asked longest ago.
    private sealed class Replica(ReplicaSourceTests test, string name) : IPageSource
    {
        private readonly PageBatchPool _pool = new();

        public List<One> Asked { get; } = [];

        public List<ulong> Cancelled { get; } = [];

        public string Name => name;

        public ImageIdentity Identity => test._image.Identity;

        public ulong Pages => test._image.Pages;

        public void Request(in PageRequest request, ReadOnlySpan<GfnRange> ranges, IPageSink sink)
        {
            var pages = new List<int>();
            foreach (var range in ranges)
            {
                for (ulong i = 0; i < range.Count; i++) pages.Add((int)(range.Start.Value + i));
            }

            Asked.Add(new One(_pool, request.Id, pages, sink));
        }

        public void Cancel(ulong requestId) => Cancelled.Add(requestId);

        public void Answer(int count)
        {
            if (Asked[0].Answer(count)) Asked.RemoveAt(0);
        }

        public void Fail(FetchFailure failure)
        {
            var asked = Asked[0];
            Asked.RemoveAt(0);
            asked.Sink.OnFailed(asked.Id, failure);
        }

        public void Dispose()
        {
        }
    }

    private sealed record One(PageBatchPool Pool, ulong Id, List<int> Pages, IPageSink Sink)
    {
        public bool Answer(int count)
        {
            var batch = Pool.Rent(Id);
            foreach (var page in Pages.Take(count)) batch.Add(PageContent.Zero(new Gfn((ulong)page)));
            Pages.RemoveRange(0, count);
            batch.IsLast = Pages.Count == 0;
            Sink.OnPages(batch);
            return Pages.Count == 0;
        }
    }
}
