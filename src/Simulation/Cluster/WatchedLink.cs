using Userfault.Mmu;
using Userfault.Nodes;
using Userfault.Paging;

namespace Userfault.Simulation.Cluster;

/// <summary>A connection of a <see cref="WatchedPlane"/>.</summary>
internal sealed class WatchedLink : IPageSource, IPageLinkOwner
{
    private readonly IPageSource _link;
    private readonly IPageLinkOwner _owner;
    private readonly SwarmView _view;

    public WatchedLink(IPagePlane plane, PageLinkTarget target, PageClientOptions options, IPageLinkOwner owner, SwarmView view)
    {
        (_owner, _view) = (owner, view);
        _link = plane.Connect(target, options, this);
    }

    public string Name => _link.Name;

    public ImageIdentity Identity => _link.Identity;

    public ulong Pages => _link.Pages;

    public void Opened(IPageSource client) => _owner.Opened(this);

    public void Closed(IPageSource client, Refusal reason) => _owner.Closed(this, reason);

    public void Request(in PageRequest request, ReadOnlySpan<GfnRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        var pages = new List<ulong>();
        foreach (var range in ranges)
        {
            for (ulong i = 0; i < range.Count; i++) pages.Add(range.Start.Value + i);
        }

        _link.Request(request, ranges, new Watched(_view, _view.Requested(pages), sink));
    }

    public void Cancel(ulong requestId) => _link.Cancel(requestId);

    public void Dispose() => _link.Dispose();

    private sealed class Watched(SwarmView view, SwarmRequest request, IPageSink sink) : IPageSink
    {
        private readonly SortedSet<ulong> _delivered = [];

        public void OnPages(PageBatch batch)
        {
            foreach (ref readonly var page in batch.Pages) _delivered.Add(page.Gfn.Value);
            if (batch.IsLast) view.Answered(request, _delivered);
            sink.OnPages(batch);
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            view.Answered(request, _delivered);
            sink.OnFailed(requestId, failure);
        }
    }
}
