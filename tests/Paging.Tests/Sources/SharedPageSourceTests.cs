using Userfault.Mmu;

namespace Userfault.Paging.Tests.Sources;

/// <summary>One connection for several fetchers.</summary>
public sealed class SharedPageSourceTests : IDisposable
{
    private readonly Recorder _one = new();

    public void Dispose() => _one.Dispose();

    [Fact]
    public void Owners_may_use_the_same_numbers_and_each_gets_its_own_answers()
    {
        var shared = new SharedPageSource(_one);
        var owners = new[] { shared.Open(), shared.Open() };
        foreach (var owner in owners) owner.Request(new PageRequest(7, FetchPriority.Demand, 0), [new GfnRange(new Gfn(1), 1)], _one);
        Assert.Equal(2, _one.Asked.Select(a => a.Id).Distinct().Count());

        var batch = new PageBatchPool().Rent(_one.Asked[1].Id);
        _one.Asked[1].Sink.OnPages(batch);
        _one.Asked[0].Sink.OnFailed(_one.Asked[0].Id, FetchFailure.SourceLost);
        Assert.Equal([(7UL, "pages"), (7UL, "SourceLost")], _one.Answers);

        owners[1].Cancel(7);
        Assert.Equal([_one.Asked[1].Id], _one.Cancelled);
        owners[0].Dispose();
        Assert.False(_one.IsDisposed);
    }

    [Fact]
    public void Only_who_asks_it_first_ends_a_source_by_giving_it_up()
    {
        var shared = new SharedPageSource(_one);
        var (first, spare) = (shared.Open(mayGiveUp: true), shared.Open());
        spare.GiveUp();
        first.Dispose();
        Assert.False(_one.IsDisposed);
        first.GiveUp();
        Assert.True(_one.IsDisposed);
    }

    [Fact]
    public void A_view_answers_each_sink_that_it_was_asked_for()
    {
        var view = new SharedPageSource(_one).Open();
        using var other = new Recorder();
        view.Request(new PageRequest(1, FetchPriority.Demand, 0), [], _one);
        view.Request(new PageRequest(2, FetchPriority.Demand, 0), [], other);
        foreach (var (id, sink) in _one.Asked) sink.OnFailed(id, FetchFailure.Cancelled);
        Assert.Equal([(1UL, "Cancelled")], _one.Answers);
        Assert.Equal([(2UL, "Cancelled")], other.Answers);
    }

    private sealed class Recorder : IPageSource, IPageSink
    {
        public string Name => "one";

        public ImageIdentity Identity => default;

        public ulong Pages => 16;

        public List<(ulong Id, IPageSink Sink)> Asked { get; } = [];

        public List<(ulong Id, string What)> Answers { get; } = [];

        public List<ulong> Cancelled { get; } = [];

        public bool IsDisposed { get; private set; }

        public void Request(in PageRequest request, ReadOnlySpan<GfnRange> ranges, IPageSink sink) => Asked.Add((request.Id, sink));

        public void Cancel(ulong requestId) => Cancelled.Add(requestId);

        public void OnPages(PageBatch batch)
        {
            Answers.Add((batch.RequestId, "pages"));
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => Answers.Add((requestId, failure.ToString()));

        public void Dispose() => IsDisposed = true;
    }
}
