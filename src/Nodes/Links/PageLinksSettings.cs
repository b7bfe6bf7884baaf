using Akka.Actor;
using Userfault.Actors;
using Userfault.DataPlane;
using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>Which connections are kept, and how their user is notified.</summary>
public sealed record PageLinksSettings
{
    /// <summary>Image and limits; the address of each server is filled in.</summary>
    public required PageClientOptions Client { get; init; }

    /// <summary>
    /// The image that nodes offer if they have the wanted one (for manifests); null for the wanted image itself.
    /// </summary>
    public ImageIdentity? OfferedAs { get; init; }

    /// <summary>The transport of pages.</summary>
    public IPagePlane Plane { get; init; } = TcpPagePlane.Instance;

    /// <summary>Are fetchers used at all? A fetcher itself uses only sources.</summary>
    public bool ThroughFetchers { get; init; } = true;

    /// <summary>Time after which a broken connection is retried.</summary>
    public TimeSpan RetryAfter { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>A connection can be used from now on. Called on the keeper's thread.</summary>
    public required Action<PageLinkTarget, IPageSource> Opened { get; init; }

    /// <summary>
    /// A connection must not be used any more; the keeper disposes of it next. Called on the keeper's thread.
    /// </summary>
    public required Action<Address, IPageSource> Closed { get; init; }

    /// <summary>
    /// Connections that make each node one fetcher in a pool, which is added and removed with the node. Every fetcher
    /// may use the other nodes as well, for hedges and when its own node is silent.
    /// </summary>
    /// <param name="pool">The fetcher pool.</param>
    /// <param name="client">Image and limits.</param>
    /// <param name="memory">The memory that the pages will go to, notified as they arrive; null if it need not
    /// be.</param>
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
                    pool.Tell(
                        new FetcherPoolProtocol.AddSource(
                            PageLinkTarget.NumberOf(node),
                            open.Name,
                            shared.Open,
                            IsSpare: true
                        )
                    );
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
