using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>A connection to a <see cref="SimPageServer"/>, as a fetcher's page source.</summary>
internal sealed class SimPageSource(SimPageServer server, SimWorld world) : IPageSource
{
    private static readonly SimLabel Refused = new("connection refused");
    private readonly Dictionary<ulong, SimRequest> _outstanding = [];
    private bool _isLost = !server.IsUp;

    public string Name => server.Name;

    public ImageIdentity Identity => server.Image.Identity;

    public ulong Pages => server.Image.Pages;

    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        var id = request.Id;
        var failure =
            _isLost ? FetchFailure.SourceLost
            : IsInside(ranges) ? (FetchFailure?)null
            : FetchFailure.OutsideImage;
        if (failure is { } why)
        {
            world.At(world.NowNs, Refused, () => sink.OnFailed(id, why));
            return;
        }

        var asked = new SimRequest(this, id, request.Priority, ranges.ToArray(), sink);
        if (!_outstanding.TryAdd(id, asked))
            throw new ArgumentException($"request {id} is outstanding", nameof(request));
        server.Ask(asked);
    }

    public void Cancel(ulong requestId)
    {
        if (_outstanding.Remove(requestId, out var request))
            request.Sink.OnFailed(requestId, FetchFailure.Cancelled);
    }

    public void Dispose() => Break();

    /// <summary>The connection is lost: outstanding requests end as lost.</summary>
    public void Break()
    {
        server.Forget(this);
        if (_isLost)
            return;
        _isLost = true;
        foreach (var request in _outstanding.Values.OrderBy(static r => r.Id).ToArray())
            request.Sink.OnFailed(request.Id, FetchFailure.SourceLost);
        _outstanding.Clear();
    }

    /// <summary>The server's answer has arrived.</summary>
    public void Answer(SimRequest request)
    {
        // Cancelled or lost in the meantime; its id may be in use again.
        if (!_outstanding.Remove(request.Id, out var current))
            return;
        if (current != request)
        {
            _outstanding.Add(request.Id, current);
            return;
        }

        switch (request.Fault)
        {
            case SimFault.Break:
                _outstanding.Add(request.Id, request);
                Break();
                return;
            case SimFault.Refuse:
                request.Sink.OnFailed(request.Id, FetchFailure.BadAnswer);
                return;
        }

        request.Sink.OnPages(Fill(request));
        if (request.Fault == SimFault.Duplicate)
            request.Sink.OnPages(Fill(request));
    }

    private PageBatch Fill(SimRequest request)
    {
        var batch = server.Pool.Rent(request.Id);
        foreach (var range in request.Ranges)
        {
            for (ulong i = 0; i < range.Count; i++)
                batch.Add(server.Image.ContentOf(range.Start.Plus(i)));
        }

        if (request.Fault is SimFault.Short or SimFault.WrongPage or SimFault.Corrupt)
            batch = Spoil(batch, request);
        batch.CompletedNs = world.NowNs;
        server.CountSent(batch.Count);
        return batch;
    }

    private PageBatch Spoil(PageBatch batch, SimRequest request)
    {
        var spoiled = server.Pool.Rent(request.Id);
        var wrong = (int)server.DrawBelow((ulong)batch.Count);
        for (var i = 0; i < batch.Count; i++)
        {
            if (request.Fault == SimFault.Short && i >= wrong)
                break;
            spoiled.Add(i == wrong ? Wrong(batch[i], request.Fault) : batch[i]);
        }

        batch.Release();
        return spoiled;
    }

    private unsafe PageContent Wrong(in PageContent page, SimFault fault) =>
        fault == SimFault.WrongPage
            ? server.Image.ContentOf(new MemoryPage((page.Page.Value + 1) % Pages))
            : PageContent.Of(page.Page, null, page.Tag + 2);

    private bool IsInside(ReadOnlySpan<MemoryPageRange> ranges)
    {
        foreach (var range in ranges)
        {
            if (range.Start.Value > Pages || range.Count > Pages - range.Start.Value)
                return false;
        }

        return true;
    }
}
