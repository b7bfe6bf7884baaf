using System.Net;
using System.Net.Security;
using Userfault.DataPlane;
using Userfault.Fetch;
using Userfault.Handler;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// Connections to all sources of one image: the nodes that a user has named, and those that these know of, which are
/// spares. Kept up while guests are served: one that is lost is tried again, and nodes are asked again whom they know.
/// No actors here: a handler, or a restore, is a small process, and a collection of theirs must not stand between a
/// guest and its page.
/// </summary>
internal sealed class ClusterSources : IPageClientOwner, IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly SourcesFound _found;
    private readonly SslClientAuthenticationOptions? _tls;
    private readonly Func<string, bool> _mayDial;
    private readonly Action<string> _log;
    private readonly Func<ImageIdentity, ImageIdentity> _askedAs;
    private readonly Dictionary<EndPoint, SourceLink> _links = [];
    private readonly Dictionary<EndPoint, IReadOnlyList<ImageIdentity>> _offered = [];
    private IReadOnlyList<ImageIdentity> _images;
    private readonly ITimer _look;
    private bool _isOver;

    /// <summary>Connects to the nodes that were named, and goes on trying where that fails.</summary>
    /// <param name="found">Which image, and the nodes.</param>
    /// <param name="tls">TLS; null for none.</param>
    /// <param name="mayDial">May a host that a node knows of be connected to?</param>
    /// <param name="log">Told of sources that are lost, back, or new.</param>
    /// <param name="askedAs">
    /// Where something that belongs to the image is wanted: the identity that it is asked for by, from the image's.
    /// </param>
    public ClusterSources(
        SourcesFound found,
        SslClientAuthenticationOptions? tls,
        Func<string, bool> mayDial,
        Action<string> log,
        Func<ImageIdentity, ImageIdentity>? askedAs = null
    )
    {
        (_found, _tls, _mayDial, _log) = (found, tls, mayDial, log);
        _askedAs = askedAs ?? (static image => image);
        _images = [found.Image];
        foreach (var node in found.Nodes)
            Add(node, isNamed: true);
        _look = TimeProvider.System.CreateTimer(_ => Look(), null, LookAgain, LookAgain);
    }

    /// <summary>Those that can be asked now.</summary>
    public SourceSet Set { get; } = new(TimeProvider.System.GetTimestamp);

    /// <summary>The names of all that could be asked at any time so far.</summary>
    public IReadOnlyList<string> Seen
    {
        get
        {
            lock (_lock)
                return [.. _links.Values.Where(static l => l.WasOpen).Select(static l => $"{l.Endpoint}")];
        }
    }

    public void OnOpened(PageClient client)
    {
        bool isSpare;
        lock (_lock)
        {
            if (_isOver || Find(client) is not { } link)
                return;
            link.Opened();
            if (link.IsLost)
            {
                _log($"{HandlerEvent.SourceBack}: {client.Name}");
            }
            else if (!link.IsNamed)
            {
                _log(
                    $"{HandlerEvent.SourceLearned}: {client.Name} is asked where those that were named are slow or gone"
                );
            }

            (link.IsLost, isSpare) = (false, !link.IsNamed);
        }

        Set.Add(client, isSpare);
        List(client);
    }

    public void OnClosed(PageClient client, Refusal reason)
    {
        Set.Remove(client);
        lock (_lock)
        {
            if (_isOver || Find(client) is not { } link)
                return;
            if (!link.IsLost)
                _log($"{HandlerEvent.SourceLost}: {client.Name} ({reason.Text}); trying again");
            link.IsLost = true;
            link.Closed();
        }
    }

    public void Dispose()
    {
        List<SourceLink> links;
        lock (_lock)
        {
            _isOver = true;
            links = [.. _links.Values];
        }

        _look.Dispose();
        foreach (var link in links)
        {
            link.Dispose();
            link.Client?.Dispose();
        }
    }

    private SourceLink? Find(PageClient client)
    {
        foreach (var link in _links.Values)
        {
            if (link.Client == client)
                return link;
        }

        return null;
    }

    private void Add(EndPoint endpoint, bool isNamed)
    {
        lock (_lock)
        {
            if (_isOver || _links.ContainsKey(endpoint))
                return;
            _links.Add(
                endpoint,
                new SourceLink(
                    endpoint,
                    isNamed,
                    TimeProvider.System.CreateTimer(
                        _ => Connect(endpoint),
                        null,
                        Timeout.InfiniteTimeSpan,
                        Timeout.InfiniteTimeSpan
                    )
                )
            );
            Connect(endpoint);
        }
    }

    private void Connect(EndPoint endpoint)
    {
        lock (_lock)
        {
            // The owner's calls come from another thread and wait for this lock.
            if (!_isOver)
            {
                // A source that is none of it by one identity may be by another, once it has read it whole.
                var link = _links[endpoint];
                link.Client = PageClient.Start(
                    new PageClientOptions
                    {
                        Server = endpoint,
                        Image = _askedAs(_images[link.Attempts++ % _images.Count]),
                        Tls = _tls,
                    },
                    this
                );
            }
        }
    }

    // A source that was started anew at another address, or later, is known to those that are there.
    private void Look()
    {
        List<PageClient> open;
        lock (_lock)
            open = [.. _links.Values.Where(static l => l.IsOpen).Select(static l => l.Client!)];
        foreach (var client in open)
            List(client);
    }

    private void List(PageClient client)
    {
        EndPoint? endpoint;
        lock (_lock)
            endpoint = Find(client)?.Endpoint;
        if (endpoint is not null)
            client.List(listings => Learn(endpoint, listings));
    }

    private void Learn(EndPoint asked, IReadOnlyList<SourceListing>? listings)
    {
        if (listings is null)
            return;
        IReadOnlyList<ImageIdentity> images;
        lock (_lock)
        {
            foreach (
                var server in listings.GroupBy(l =>
                    l.Host.Length == 0 ? asked : SourceSearch.EndPointOf(l.Host, l.Port)
                )
            )
            {
                _offered[server.Key] = [.. server.Select(static l => l.Image)];
            }

            images = _images = SameImages.Of(_found.Image, [.. _offered.Values]);
        }

        foreach (var listing in listings)
        {
            // The node that was asked says so of itself, without an address.
            if (!images.Contains(listing.Image) || listing.Host.Length == 0 || !_mayDial(listing.Host))
                continue;
            Add(SourceSearch.EndPointOf(listing.Host, listing.Port), isNamed: false);
        }
    }
}
