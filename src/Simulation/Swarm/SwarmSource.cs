using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A page source in virtual time that answers with content tags, with a random latency per request, and that can be
/// made to behave like a faulty or hostile source.
/// </summary>
internal sealed class SwarmSource : IPageSource
{
    private readonly SimWorld _world;
    private readonly SwarmView _view;
    private readonly SimRandom _random;
    private readonly PageBatchPool _pool = new();
    private readonly SortedDictionary<ulong, Asked> _outstanding = [];
    private readonly List<ulong> _held = [];
    private bool _holds;

    internal SwarmSource(SimWorld world, SwarmView view, int fetcher, int number, int incarnation)
    {
        (_world, _view, Fetcher, Number) = (world, view, fetcher, number);
        Name = $"source-{number}-{incarnation}";
        _random = new SimRandom(world.Seed, Name);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <summary>The number of the fetcher that uses it.</summary>
    public int Fetcher { get; }

    /// <summary>Its number among all sources.</summary>
    public int Number { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity => default;

    /// <inheritdoc/>
    public ulong Pages => _view.Pages;

    /// <summary>Is its connection lost?</summary>
    internal bool IsClosed { get; private set; }

    internal bool ThrowsNext { get; set; }

    internal bool IsShort { get; set; }

    internal bool AnswersWrong { get; set; }

    internal bool AnswersTwice { get; set; }

    internal long LateNs { get; set; }

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        if (ThrowsNext)
        {
            ThrowsNext = false;
            throw new InvalidOperationException($"{Name} throws, as planned");
        }

        if (IsClosed)
        {
            sink.OnFailed(request.Id, FetchFailure.SourceLost);
            return;
        }

        var pages = new List<ulong>();
        foreach (var range in ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
                pages.Add(range.Start.Value + i);
        }

        _outstanding.Add(request.Id, new Asked(_view.Requested(pages), sink));
        var late = LateNs == 0 ? 0 : (long)_random.Below((ulong)LateNs);
        var id = request.Id;
        _world.After(
            _view.Plan.LatencyNs + (long)_random.Below((ulong)_view.Plan.JitterNs + 1) + late,
            Name,
            () => Answer(id)
        );
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        if (_outstanding.TryGetValue(requestId, out var asked))
            End(requestId, asked, FetchFailure.Cancelled);
    }

    /// <summary>The connection is lost: outstanding and later requests end as lost.</summary>
    public void Dispose()
    {
        IsClosed = true;
        foreach (var (id, asked) in _outstanding.ToArray())
            End(id, asked, FetchFailure.SourceLost);
    }

    /// <summary>A new connection to the same source misbehaves like the one before.</summary>
    internal void BehaveAs(SwarmSource before) =>
        (IsShort, AnswersWrong, AnswersTwice, LateNs) = (
            before.IsShort,
            before.AnswersWrong,
            before.AnswersTwice,
            before.LateNs
        );

    /// <summary>Holds back answers from now on, as on a cut link.</summary>
    internal void Hold() => _holds = true;

    /// <summary>Delivers the answers that were held back.</summary>
    internal void LetGo()
    {
        _holds = false;
        var held = _held.ToArray();
        _held.Clear();
        foreach (var id in held)
            Answer(id);
    }

    private void Answer(ulong id)
    {
        if (!_outstanding.TryGetValue(id, out var asked))
            return;
        if (_holds)
        {
            _held.Add(id);
            return;
        }

        _outstanding.Remove(id);
        var delivered = new SortedSet<ulong>(asked.Pages);
        if (IsShort)
        {
            foreach (var page in asked.Pages.Where(_ => _random.Chance(0.4)))
                delivered.Remove(page);
        }

        ulong? foreign = AnswersWrong ? _random.Below(Pages) : null;
        if (foreign is not null)
            delivered.Remove(asked.Pages[0]);
        if (foreign is { } page2 && asked.Pages.Contains(page2))
            delivered.Add(page2);
        _view.Answered(asked.Request, delivered);
        var sent = asked.Pages.Where(delivered.Contains).ToList();
        if (foreign is { } wrong && !delivered.Contains(wrong))
            sent.Insert(0, wrong);
        asked.Sink.OnPages(Batch(id, sent));
        if (AnswersTwice)
            _world.After(_random.Between(0, 50_000), Name, () => asked.Sink.OnPages(Batch(id, sent)));
    }

    private void End(ulong id, Asked asked, FetchFailure failure)
    {
        _outstanding.Remove(id);
        _view.Answered(asked.Request, SwarmView.NoPages);
        asked.Sink.OnFailed(id, failure);
    }

    private unsafe PageBatch Batch(ulong id, List<ulong> pages)
    {
        var batch = _pool.Rent(id);
        foreach (var page in pages)
        {
            var memoryPage = new MemoryPage(page);
            var tag = _view.ImageTag(memoryPage);
            batch.Add(tag == PageTag.Zero ? PageContent.Zero(memoryPage) : PageContent.Of(memoryPage, null, tag));
        }

        return batch;
    }

    private sealed record Asked(SwarmRequest Request, IPageSink Sink)
    {
        public IReadOnlyList<ulong> Pages => Request.Pages;
    }
}
