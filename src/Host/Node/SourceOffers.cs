using Userfault.DataPlane;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>
/// What a source offers of its image. Where not every page of it has been looked at before, it is offered at once by an
/// identity that no other source has, and read whole by a thread meanwhile: then by the identity of its content as
/// well, and whoever asks may mix it with others of that. By each identity it offers digests too, and of a saved QEMU
/// guest what a restore needs beside pages. The image's file is looked at all the while: a source whose file was
/// written to ends.
/// </summary>
internal sealed class SourceOffers : IDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly IMemoryImage _image;
    private readonly PageOffer _offer;
    private readonly ManifestSource _manifest;
    private readonly CancellationTokenSource _ends = new();
    private readonly CancellationTokenSource _lost = new();
    private readonly ITimer? _look;
    private readonly Thread? _reader;
    private readonly DescriptionImage? _description;
    private ManifestSource? _wholeManifest;
    private PageServer? _server;
    private IReadOnlyList<SourceListing> _listings;

    /// <summary>Offers of an image; not owned.</summary>
    /// <param name="image">The image.</param>
    /// <param name="listing">How it is listed, but for its identity and its port.</param>
    /// <exception cref="PagingException">The image has more ranges than can be described.</exception>
    public SourceOffers(IMemoryImage image, SourceListing listing)
    {
        _image = image;
        var identity = WholeImage.TryKnown(image, WholeImage.DefaultFolder) ?? image.Identity;
        _listings = [listing with { Image = identity }];
        _manifest = new ManifestSource(image, identity);
        _description = Describe(image, identity);
        _offer = new PageOffer(image);
        if (identity != image.Identity)
            _offer = _offer.As(identity);
        if (image.OpenPath is not null)
            _look = TimeProvider.System.CreateTimer(_ => Look(), null, LookEvery, LookEvery);
        if (identity.IsProvisional)
        {
            _reader = new Thread(Read)
            {
                IsBackground = true,
                Name = "whole image",
                Priority = ThreadPriority.BelowNormal,
            };
        }
    }

    /// <summary>How it is listed now; by the identity of its content first.</summary>
    public IReadOnlyList<SourceListing> Listings => Volatile.Read(ref _listings);

    /// <summary>What a server offers when it begins.</summary>
    public IEnumerable<PageOffer> AtOnce =>
        [
            _offer,
            new PageOffer(_manifest) { IsListed = false },
            .. _description is null ? [] : (PageOffer[])[new PageOffer(_description) { IsListed = false }],
        ];

    /// <summary>Its working set, offered by the same identities; null for none. Not owned.</summary>
    public WorkingSetOffer? WorkingSet { get; init; }

    /// <summary>Why the image cannot be served any more; null while it can.</summary>
    public string? Problem { get; private set; }

    /// <summary>Cancelled when there is a <see cref="Problem"/>.</summary>
    public CancellationToken Lost => _lost.Token;

    /// <summary>The server is there: begins to read the image whole, where that is not known.</summary>
    public void Serve(PageServer server)
    {
        _server = server;
        foreach (var listing in _listings)
            WorkingSet?.Add(server, listing.Image);
        Volatile.Write(ref _listings, [.. _listings.Select(l => l with { Port = server.Endpoint.Port })]);
        _reader?.Start();
    }

    public void Dispose()
    {
        _look?.Dispose();
        _ends.Cancel();
        if (_reader is { IsAlive: true })
            _reader.Join();
        _manifest.Dispose();
        _wholeManifest?.Dispose();
        _ends.Dispose();
        _lost.Dispose();
    }

    private static DescriptionImage? Describe(IMemoryImage image, ImageIdentity identity) =>
        image is QemuImage guest ? new DescriptionImage(guest, identity) : null;

    private void Read()
    {
        if (WholeImage.Read(_image, WholeImage.DefaultFolder, TimeProvider.System, _ends.Token) is not { } whole)
            return;
        _wholeManifest = new ManifestSource(_image, whole);
        _server!.Add(_offer.As(whole));
        _server.Add(new PageOffer(_wholeManifest) { IsListed = false });
        if (Describe(_image, whole) is { } description)
            _server.Add(new PageOffer(description) { IsListed = false });
        WorkingSet?.Add(_server, whole);
        Volatile.Write(ref _listings, [_listings[0] with { Image = whole }, .. _listings]);
    }

    private void Look()
    {
        if (Problem is not null || _image.Change() is not { IsContent: true } change)
            return;
        Problem = $"{_image.Name}: has changed while it was served: {change.What}; start the node anew";
        _lost.Cancel();
    }
}
