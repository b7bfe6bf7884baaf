using Userfault.Pages;

namespace Userfault.Tests.Sources;

/// <summary>One connection for several fetchers.</summary>
public sealed class SharedPageSourceTests : IDisposable
{
    private readonly ScriptedSource _one = new();
    private readonly RecordingSink _sink = new();

    public void Dispose() => _one.Dispose();

    [Fact]
    public void Owners_may_use_the_same_numbers_and_each_gets_its_own_answers()
    {
        var shared = new SharedPageSource(_one);
        var owners = new[] { shared.Open(), shared.Open() };
        foreach (var owner in owners)
        {
            owner.Request(
                new PageRequest(7, FetchPriority.Demand, 0),
                [new MemoryPageRange(new MemoryPage(1), 1)],
                _sink
            );
        }

        Assert.Equal(2, _one.Asked.Select(a => a.Id).Distinct().Count());

        _one.Asked[1].Answer();
        Assert.Equal(7UL, Assert.Single(_sink.Batches).Id);
        Assert.Empty(_sink.Failures);
        _one.Asked[0].Fail(FetchFailure.SourceLost);
        Assert.Single(_sink.Batches);
        Assert.Equal([(7UL, FetchFailure.SourceLost)], _sink.Failures);

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
        Assert.Empty(_one.Calls);
        first.GiveUp();
        Assert.True(_one.IsDisposed);
    }

    [Fact]
    public void A_view_answers_each_sink_that_it_was_asked_for()
    {
        var view = new SharedPageSource(_one).Open();
        var other = new RecordingSink();
        view.Request(new PageRequest(1, FetchPriority.Demand, 0), [], _sink);
        view.Request(new PageRequest(2, FetchPriority.Demand, 0), [], other);
        foreach (var asked in _one.Asked)
            asked.Fail(FetchFailure.Cancelled);
        Assert.Equal([(1UL, FetchFailure.Cancelled)], _sink.Failures);
        Assert.Equal([(2UL, FetchFailure.Cancelled)], other.Failures);
    }
}
