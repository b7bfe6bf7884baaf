using Userfault.DataPlane;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Qemu.Tests;

/// <summary>
/// Sources of one saved stream on loopback, and connections to them: every source serves pages, digests and the
/// description, as a node does. A source that is killed is not connected to again.
/// </summary>
internal sealed class ClusterRig : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<ManifestSource> _manifests = [];
    private readonly DescriptionImage _description;
    private readonly List<PageServer> _servers = [];
    private readonly List<SourceLinks> _links = [];

    /// <summary>Sources of <see cref="StreamBuilder.Small"/>.</summary>
    public ClusterRig(ulong pages)
    {
        var path = _folder.At("vm.mig");
        File.WriteAllBytes(path, StreamBuilder.Small(pages).Bytes);
        Image = QemuImage.Open(path);
        _description = new DescriptionImage(Image, Image.Identity);
    }

    /// <summary>The file that all sources have.</summary>
    public QemuImage Image { get; }

    /// <summary>Sources of pages that are connected.</summary>
    public SourceSet Pages { get; } = new(TimeProvider.System.GetTimestamp);

    /// <summary>Sources of digests that are connected.</summary>
    public SourceSet Digests { get; } = new(TimeProvider.System.GetTimestamp);

    /// <summary>Starts a source, and connects.</summary>
    /// <param name="served">What its pages are read from; null for the file.</param>
    /// <param name="manifest">What its digests come from; null for the file.</param>
    public PageServer AddSource(IMemoryImage? served = null, IPageSource? manifest = null)
    {
        if (manifest is null)
        {
            _manifests.Add(new ManifestSource(Image, Image.Identity));
            manifest = _manifests[^1];
        }

        var server = new PageServer(
            new PageServerOptions(),
            [
                new PageOffer(served ?? Image).As(Image.Identity),
                new PageOffer(manifest) { IsListed = false },
                new PageOffer(_description) { IsListed = false },
            ]
        );
        _servers.Add(server);
        _links.Add(new SourceLinks(server, Image.Identity, Pages));
        _links.Add(new SourceLinks(server, ImageManifest.IdentityOf(Image.Identity), Digests));
        return server;
    }

    /// <summary>The guest as the last source describes it.</summary>
    public GuestDescription Describe() =>
        DescriptionDownload.From(new PageClientOptions { Server = _servers[^1].Endpoint }, Image.Identity);

    /// <summary>Guests of all sources.</summary>
    public ClusterGuests Guests(ClusterSettings? settings = null) =>
        new(Describe(), "vm.mig", Pages, Digests, settings ?? new ClusterSettings());

    /// <summary>Closes all connections: no thread of theirs looks at digests any more.</summary>
    public void Disconnect() => _links.ForEach(static link => link.Dispose());

    public void Dispose()
    {
        Disconnect();
        _servers.ForEach(static server => server.Dispose());
        _manifests.ForEach(static manifest => manifest.Dispose());
        Image.Dispose();
        _folder.Dispose();
    }
}
