using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Nodes;

/// <summary>Which connections are kept, and for whom.</summary>
public sealed record PageLinksSettings
{
    /// <summary>Image and limits; the server's address is put in for each.</summary>
    public required PageClientOptions Client { get; init; }

    /// <summary>The image that nodes offer where the wanted one is found; null: that one itself.</summary>
    public ImageIdentity? OfferedAs { get; init; }

    /// <summary>How pages travel.</summary>
    public IPagePlane Plane { get; init; } = TcpPagePlane.Instance;

    /// <summary>Are fetchers asked at all? A fetcher itself asks sources alone.</summary>
    public bool ThroughFetchers { get; init; } = true;

    /// <summary>How long after a connection broke it is tried again.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A connection can be used from now on. Called on the keeper's thread.</summary>
    public required Action<PageLinkTarget, IPageSource> Opened { get; init; }

    /// <summary>A connection must not be used any more; the keeper disposes of it next. Called on the keeper's thread.</summary>
    public required Action<Address, IPageSource> Closed { get; init; }

    /// <summary>
    /// Connections that make one fetcher a node in a pool: it comes and goes with the node. Every fetcher may ask the
    /// other nodes too, for hedges and where its own is silent.
    /// </summary>
    /// <param name="pool">The fetcher pool.</param>
    /// <param name="client">Image and limits.</param>
    /// <param name="memory">Where the pages will go, told of them as they come; null where it need not know.</param>
    public static PageLinksSettings IntoPool(IActorRef pool, PageClientOptions client, IGuestMemory? memory = null)
    {
        var nodes = new Dictionary<Address, SharedPageSource>();
        return new PageLinksSettings
        {
            Client = client,
            Opened = (target, open) =>
            {
                var shared = new SharedPageSource(memory is null ? open : new ExpectingSource(open, memory));
                pool.Tell(new FetcherPoolProtocol.AddFetcher(target.Number, [() => shared.Open(mayGiveUp: true)]));
                foreach (var (node, other) in nodes)
                {
                    pool.Tell(new FetcherPoolProtocol.AddSource(PageLinkTarget.NumberOf(node), open.Name, shared.Open, IsSpare: true));
                    pool.Tell(new FetcherPoolProtocol.AddSource(target.Number, other.Name, other.Open, IsSpare: true));
                }

                nodes.Add(target.Node, shared);
            },
            Closed = (node, closed) =>
            {
                nodes.Remove(node);
                pool.Tell(new FetcherPoolProtocol.RemoveFetcher(PageLinkTarget.NumberOf(node)));
                pool.Tell(new FetcherPoolProtocol.RemoveSource(closed.Name, "its node is gone"));
            },
        };
    }
}
