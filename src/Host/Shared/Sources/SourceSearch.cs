using System.Globalization;
using System.Net;
using System.Net.Security;
using Userfault.DataPlane;

namespace Userfault.Cli;

/// <summary>Which image the nodes that a user has named serve, and which sources of it they know of.</summary>
internal sealed class SourceSearch
{
    // How long the others are waited for once one node has answered: one that does not answer must not keep a guest
    // waiting.
    private const int OthersMs = 500;

    private readonly object _lock = new();
    private readonly List<(EndPoint Node, SourceListing Listing)> _found = [];
    private string _said = "";
    private int _left;

    /// <summary>The addresses in H:P,H:P.</summary>
    /// <exception cref="CliException">One is no address.</exception>
    public static IReadOnlyList<EndPoint> Nodes(string option, string text)
    {
        const string Wanted = "the address of a node's data plane, such as 127.0.0.1:7101";
        var nodes = new List<EndPoint>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = part.LastIndexOf(':');
            if (
                colon <= 0
                || !ushort.TryParse(part.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port)
                || port == 0
            )
            {
                throw Units.Bad(option, part, Wanted);
            }

            nodes.Add(EndPointOf(part[..colon], port));
        }

        return nodes.Count > 0 ? nodes : throw Units.Bad(option, text, Wanted);
    }

    /// <summary>
    /// TLS towards the nodes; null for none, where they are on loopback or a closed network is allowed.
    /// </summary>
    /// <param name="settings">What names the certificates.</param>
    /// <param name="option">The option that names the nodes.</param>
    /// <param name="nodes">The nodes.</param>
    /// <param name="log">Takes warnings.</param>
    /// <exception cref="CliException">A node beyond loopback without TLS, or certificates that cannot be
    /// used.</exception>
    public static SslClientAuthenticationOptions? Tls(
        Settings settings,
        string option,
        IReadOnlyList<EndPoint> nodes,
        Action<string> log
    )
    {
        var tls = ClusterTls.Of(settings);
        var uses = nodes.Select(node =>
            (option, node is IPEndPoint ip ? ip.Address.ToString() : ((DnsEndPoint)node).Host)
        );
        foreach (
            var warning in new[]
            {
                LoopbackRule.Check(settings, tls, uses),
                tls?.Warning(TimeProvider.System.GetUtcNow()),
            }
        )
        {
            if (warning is not null)
                log($"warning: {warning}");
        }

        return tls?.Client;
    }

    /// <summary>Asks all nodes at once which sources there are of which image. Blocks.</summary>
    /// <param name="nodes">The nodes' data planes.</param>
    /// <param name="tls">TLS; null for none.</param>
    /// <param name="imageId">How the image's identity begins; null where there is only one.</param>
    /// <exception cref="CliException">None answers, none serves the image, or it is not clear which image.</exception>
    public static SourcesFound Find(IReadOnlyList<EndPoint> nodes, SslClientAuthenticationOptions? tls, string? imageId)
    {
        var search = new SourceSearch { _left = nodes.Count };
        foreach (var node in nodes)
        {
            var options = new PageClientOptions { Server = node, Tls = tls };
            new Thread(() => search.Ask(node, options, imageId)) { IsBackground = true, Name = "find sources" }.Start();
        }

        return search.Wait(nodes);
    }

    /// <summary>An address as it is listed.</summary>
    public static EndPoint EndPointOf(string host, int port) =>
        IPAddress.TryParse(host, out var address) ? new IPEndPoint(address, port) : new DnsEndPoint(host, port);

    // A node lists what it serves itself without an address.
    private static EndPoint ServerOf(EndPoint node, SourceListing listing) =>
        listing.Host.Length == 0 ? node : EndPointOf(listing.Host, listing.Port);

    private void Ask(EndPoint node, PageClientOptions options, string? imageId)
    {
        IReadOnlyList<SourceListing> listings = [];
        var said = $"{node} serves no such image";
        try
        {
            listings = PageClient.ListSources(options);
        }
        catch (PageConnectionException e)
        {
            said = e.Message;
        }

        lock (_lock)
        {
            var images = listings
                .Where(l =>
                    imageId is null || l.Image.ToString().StartsWith(imageId, StringComparison.OrdinalIgnoreCase)
                )
                .ToList();
            _found.AddRange(images.Select(l => (node, l)));
            if (images.Count == 0)
                _said = said;
            _left--;
            Monitor.PulseAll(_lock);
        }
    }

    private SourcesFound Wait(IReadOnlyList<EndPoint> nodes)
    {
        lock (_lock)
        {
            while (_found.Count == 0 && _left > 0)
                Monitor.Wait(_lock);
            var begun = TimeProvider.System.GetTimestamp();
            while (
                _left > 0
                && OthersMs - (int)TimeProvider.System.GetElapsedTime(begun).TotalMilliseconds is > 0 and var ms
            )
            {
                Monitor.Wait(_lock, ms);
            }

            // By server: what one offers by two identities is one image.
            var images = SameImages.Groups([
                .. _found
                    .GroupBy(static f => ServerOf(f.Node, f.Listing))
                    .Select(static server => server.Select(static f => f.Listing.Image).Distinct().ToList()),
            ]);
            if (images.Count == 0)
            {
                throw new CliException(
                    $"--cluster: no source found: {_said}; give the address that a node prints after `serves`"
                );
            }

            // Those that may be one image are not mixed before that is known: one of them is enough to begin with.
            var different = images.Where(i => !i[0].IsSameSample(images[0][0])).Prepend(images[0]).ToList();
            if (different.Count > 1 || (images.Count > 1 && !SameImages.AreUndecided(images)))
            {
                var all = different.Count > 1 ? different : images;
                throw new CliException(
                    $"--cluster: the nodes serve {all.Count} images; add --image-id "
                        + string.Join(" or ", all.Select(i => different.Count > 1 ? i[0].Short : i[0].ToString()))
                );
            }

            var image = images.Select(static i => i[0]).OrderBy(static i => i.IsProvisional).First();
            var first = _found.First(f => f.Listing.Image == image).Listing;
            var servers = _found.Where(f => f.Listing.Image == image).Select(static f => ServerOf(f.Node, f.Listing));
            return new SourcesFound(first.Image, first.PageCount, first.Name, nodes, [.. servers.Distinct()]);
        }
    }
}
