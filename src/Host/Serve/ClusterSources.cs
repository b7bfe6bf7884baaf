using System.Globalization;
using System.Net;
using System.Net.Security;
using Userfault.Linux;
using Userfault.Paging;

namespace Userfault.Cli;

/// <summary>
/// Connections to all sources of one image, as a node's data plane lists them; kept up while the handler runs. No actors
/// here: a handler is a small process, and a collection of theirs must not stand between a guest and its page.
/// </summary>
internal sealed class ClusterSources : IPageClientOwner, IDisposable
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMilliseconds(250);

    private readonly Lock _lock = new();
    private readonly SslClientAuthenticationOptions? _tls;
    private readonly Action<string> _log;
    private readonly ImageIdentity _image;
    private readonly Dictionary<PageClient, EndPoint> _clients = [];
    private readonly List<ITimer> _retries = [];
    private readonly HashSet<EndPoint> _lost = [];
    private bool _isOver;

    private ClusterSources(ImageIdentity image, SslClientAuthenticationOptions? tls, Action<string> log) => (_image, _tls, _log) = (image, tls, log);

    /// <summary>Those that can be asked now.</summary>
    public SourceSet Set { get; } = new();

    /// <summary>The addresses in H:P,H:P.</summary>
    /// <exception cref="CliException">One is no address.</exception>
    public static IReadOnlyList<EndPoint> Nodes(string option, string text)
    {
        var nodes = new List<EndPoint>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = part.LastIndexOf(':');
            if (colon <= 0 || !ushort.TryParse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port) || port == 0)
                throw Units.Bad(option, part, "the address of a node's data plane, such as 127.0.0.1:7101");
            nodes.Add(EndPointOf(part[..colon], port));
        }
        return nodes.Count > 0 ? nodes : throw Units.Bad(option, text, "the address of a node's data plane, such as 127.0.0.1:7101");
    }

    /// <summary>TLS towards the nodes; null for none, where they are on loopback or a closed network is allowed.</summary>
    /// <param name="settings">What names the certificates.</param>
    /// <param name="option">The option that names the nodes.</param>
    /// <param name="nodes">The nodes.</param>
    /// <param name="log">Takes warnings.</param>
    /// <exception cref="CliException">A node beyond loopback without TLS, or certificates that cannot be used.</exception>
    public static SslClientAuthenticationOptions? Tls(Settings settings, string option, IReadOnlyList<EndPoint> nodes, Action<string> log)
    {
        var tls = ClusterTls.Of(settings);
        var uses = nodes.Select(node => (option, node is IPEndPoint ip ? ip.Address.ToString() : ((DnsEndPoint)node).Host));
        foreach (var warning in new[] { LoopbackRule.Check(settings, tls, uses), tls?.Warning(TimeProvider.System.GetUtcNow()) })
        {
            if (warning is not null) log($"warning: {warning}");
        }

        return tls?.Client;
    }

    /// <summary>Asks the nodes, one after another, until one answers, which sources there are of which image.</summary>
    /// <exception cref="CliException">None answers, none serves the image, or it is not clear which image.</exception>
    public static Found Find(IReadOnlyList<EndPoint> nodes, SslClientAuthenticationOptions? tls, string? imageId)
    {
        var said = "";
        foreach (var node in nodes)
        {
            try
            {
                var listings = PageClient.ListSources(new PageClientOptions { Server = node, Tls = tls })
                    .Where(l => imageId is null || l.Image.ToString().StartsWith(imageId, StringComparison.OrdinalIgnoreCase)).ToList();
                var images = listings.Select(l => l.Image).Distinct().ToList();
                if (images.Count > 1)
                    throw new CliException($"--cluster: the nodes serve {images.Count} images; add --image-id {string.Join(" or ", images.Select(i => i.Short))}");
                if (images.Count == 1)
                {
                    var endpoints = listings.Select(l => l.Host.Length == 0 ? node : EndPointOf(l.Host, l.Port)).Distinct().ToList();
                    return new Found(images[0], listings[0].PageCount, listings[0].Name, endpoints);
                }
                said = $"{node} serves no such image";
            }
            catch (PageConnectionException e)
            {
                said = e.Message;
            }
        }
        throw new CliException($"--cluster: no source found: {said}; give the address that a node says after `serves`");
    }

    /// <summary>Connects to all, and goes on trying where that fails.</summary>
    public static ClusterSources Connect(Found found, SslClientAuthenticationOptions? tls, Action<string> log)
    {
        var sources = new ClusterSources(found.Image, tls, log);
        foreach (var endpoint in found.Endpoints) sources.Start(endpoint);
        return sources;
    }

    public void OnOpened(PageClient client)
    {
        lock (_lock)
        {
            if (_isOver) return;
            if (_lost.Remove(_clients[client])) _log($"source {client.Name} is back");
        }
        Set.Add(client);
    }

    public void OnClosed(PageClient client, Refusal reason)
    {
        Set.Remove(client);
        lock (_lock)
        {
            if (!_clients.Remove(client, out var endpoint) || _isOver) return;
            if (_lost.Add(endpoint)) _log($"source {client.Name} is lost ({reason.Text}); trying again");
            _retries.Add(TimeProvider.System.CreateTimer(_ => Start(endpoint), null, RetryAfter, Timeout.InfiniteTimeSpan));
            // Timers that have fired are of no use any more; those of this moment are the last few.
            while (_retries.Count > 64)
            {
                _retries[0].Dispose();
                _retries.RemoveAt(0);
            }
        }
    }

    public void Dispose()
    {
        PageClient[] clients;
        lock (_lock)
        {
            _isOver = true;
            clients = [.. _clients.Keys];
            foreach (var retry in _retries) retry.Dispose();
        }
        foreach (var client in clients) client.Dispose();
    }

    private static EndPoint EndPointOf(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    private void Start(EndPoint endpoint)
    {
        lock (_lock)
        {
            if (_isOver) return;
            // The owner's calls come from another thread and wait for this lock.
            var client = PageClient.Start(new PageClientOptions { Server = endpoint, Image = _image, Tls = _tls }, this);
            _clients.Add(client, endpoint);
        }
    }

    /// <summary>What the nodes serve.</summary>
    internal sealed record Found(ImageIdentity Image, ulong Pages, string Name, IReadOnlyList<EndPoint> Endpoints);
}
