using Akka.Actor;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// Decides which data-plane servers to connect to: every reachable fetcher that offers the image, or the sources
/// directly if there is no fetcher or none accepts connections. No I/O; the shell opens and closes connections.
/// </summary>
/// <param name="image">The wanted image.</param>
/// <param name="throughFetchers">Are fetchers used at all? A fetcher itself uses only sources.</param>
internal sealed class PageLinksCore(ImageIdentity image, bool throughFetchers)
{
    private readonly SortedDictionary<Address, Link> _links = new(AddressOrder.Instance);
    private readonly SortedSet<Address> _seen = new(AddressOrder.Instance);
    private readonly SortedSet<Address> _lost = new(AddressOrder.Instance);
    private IReadOnlyList<PageLinkTarget> _offers = [];

    /// <summary>The connected nodes.</summary>
    public IReadOnlyList<PageLinkTarget> Open =>
        [.. _links.Values.Where(l => l.State == State.Open).Select(l => l.Target)];

    /// <summary>Number of nodes that are wanted and not connected.</summary>
    public int Pending => _links.Values.Count(l => l.State != State.Open);

    /// <summary>Nodes that have been connected at any time.</summary>
    public IReadOnlyList<Address> Seen => [.. _seen];

    /// <summary>Nodes whose connection broke and has not been restored.</summary>
    public IReadOnlyList<Address> Lost => [.. _lost];

    private enum State
    {
        Connecting,
        Open,
        Waiting,
    }

    /// <summary>The cluster has changed.</summary>
    public void Update(IReadOnlyList<ClusterNode> nodes)
    {
        var same = SameImages.Of(image, [.. nodes.Select(static n => n.Report?.Images ?? [])]);
        _offers =
        [
            .. from node in nodes
            where node.IsUsable
            let offer = node.Report?.OfferOf(image) ?? node.Report?.Offers.FirstOrDefault(o => same.Contains(o.Image))
            where offer is not null
            let isFetcher = node.Roles.Contains(NodeRoles.Fetcher)
            where isFetcher ? throughFetchers : node.Roles.Contains(NodeRoles.Source)
            let host = offer.Host.Length > 0 ? offer.Host : node.Address.Host
            select new PageLinkTarget(node.Address, host, offer.Port, offer.PageCount, isFetcher)
            {
                Image = offer.Image,
            },
        ];
    }

    /// <summary>
    /// The connections to close and to open now; the core assumes that this is done. Call after every event.
    /// </summary>
    public (IReadOnlyList<PageLinkTarget> Close, IReadOnlyList<PageLinkTarget> Open) Decide()
    {
        var wanted = Wanted();
        var close = new List<PageLinkTarget>();
        foreach (var link in _links.Values)
        {
            if (wanted.Contains(link.Target))
                continue;
            close.Add(link.Target);
            // A source that is released because there are fetchers is not lost; a node that can no longer be used is.
            if (link.State == State.Open && !_offers.Contains(link.Target))
                _lost.Add(link.Target.Node);
        }

        foreach (var target in close)
            _links.Remove(target.Node);
        var open = wanted.Where(t => !_links.ContainsKey(t.Node)).ToList();
        foreach (var target in open)
            _links.Add(target.Node, new Link(target));
        return (close, open);
    }

    /// <summary>A connection has opened.</summary>
    public void Opened(Address node)
    {
        _links[node].State = State.Open;
        _seen.Add(node);
        _lost.Remove(node);
    }

    /// <summary>A connection could not be made or has ended; it is retried after <see cref="Retry"/>.</summary>
    public void Closed(Address node)
    {
        if (_links[node].State == State.Open)
            _lost.Add(node);
        _links[node].State = State.Waiting;
    }

    /// <summary>It is time to retry: returns the target, or null if it is no longer wanted.</summary>
    public PageLinkTarget? Retry(Address node)
    {
        if (!_links.TryGetValue(node, out var link) || link.State != State.Waiting)
            return null;
        link.IsRetry = true;
        link.State = State.Connecting;
        return link.Target;
    }

    private List<PageLinkTarget> Wanted()
    {
        var fetchers = _offers.Where(o => o.IsFetcher).ToList();
        var links = _links.Values.Where(l => fetchers.Contains(l.Target)).ToList();
        var isServed =
            fetchers.Count > 0
            && (
                links.Count < fetchers.Count
                || links.Exists(l => l.State == State.Open || (l.State == State.Connecting && !l.IsRetry))
            );
        return isServed ? fetchers : [.. _offers];
    }

    private sealed class Link(PageLinkTarget target)
    {
        public PageLinkTarget Target { get; } = target;

        public State State { get; set; } = State.Connecting;

        public bool IsRetry { get; set; }
    }
}
