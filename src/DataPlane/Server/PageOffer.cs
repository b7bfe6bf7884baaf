using Userfault.Pages;

namespace Userfault.DataPlane;

/// <summary>
/// An offer of a <see cref="PageServer"/>: a mapped image, whose content is sent without a copy, or a page source
/// behind this server (a fetcher node's own connection), whose answers are passed on by reference. The offer does not
/// own it: it must outlive the server.
/// </summary>
public sealed class PageOffer
{
    private readonly IMemoryImage? _image;
    private readonly PageSums? _sums;
    private readonly IPageSource? _source;
    private readonly Lock _sourceLock;
    private ulong _lastRequest;

    /// <summary>Serves a mapped image.</summary>
    public PageOffer(IMemoryImage image)
    {
        ArgumentNullException.ThrowIfNull(image);
        _image = image;
        _sourceLock = new Lock();
        _sums = new PageSums(image);
        (Identity, Name) = (image.Identity, image.Name);
    }

    /// <summary>Passes on the answers of a source.</summary>
    public PageOffer(IPageSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        _sourceLock = new Lock();
        (Identity, Name) = (source.Identity, source.Name);
    }

    private PageOffer(PageOffer other, ImageIdentity identity)
    {
        (_image, _sums, _source, _sourceLock) = (other._image, other._sums, other._source, other._sourceLock);
        (Identity, Name, IsListed) = (identity, other.Name, other.IsListed);
    }

    /// <summary>The same image by another of its identities.</summary>
    /// <exception cref="InvalidOperationException">A source behind this server answers by one alone.</exception>
    public PageOffer As(ImageIdentity identity) =>
        _image is not null
            ? new PageOffer(this, identity)
            : throw new InvalidOperationException($"{Name} is no image of this process");

    /// <summary>The image.</summary>
    public ImageIdentity Identity { get; }

    /// <summary>
    /// Its size in pages; 0, which offers nothing, while a source behind this server does not know it.
    /// </summary>
    public ulong Pages => _image?.Pages ?? _source!.Pages;

    /// <summary>A name for people.</summary>
    public string Name { get; }

    /// <summary>
    /// Is it included in the answer to LIST? An offer for clients that already know of it need not be.
    /// </summary>
    public bool IsListed { get; init; } = true;

    // A source's pages do not stay in memory: none can be compared with a later one.
    internal int WidestWindow => _image is null ? 0 : WireLimits.DuplicateWindow;

    /// <summary>Are the checksums of all pages known, or not computed ahead at all?</summary>
    internal bool IsLookedAt => _sums?.IsLookedAt != false;

    internal IAnswerer Open(int duplicateWindow, RequestTable requests, ServerCounters counters, Action wake) =>
        _image is not null
            ? new ImageAnswerer(_image, _sums!, duplicateWindow, requests, counters)
            : new RelayAnswerer(this, requests, counters, wake);

    /// <summary>Computes the checksums of some pages ahead of requests; false once there are none left.</summary>
    internal bool LookAhead() => _sums?.LookAhead() == true;

    /// <summary>
    /// An id for a request to the source. It must be known before the request, since the answer may arrive within the
    /// call.
    /// </summary>
    internal ulong NextNumber() => Interlocked.Increment(ref _lastRequest);

    /// <summary>
    /// Sends a request to the source. Callable from many clients' threads; the source gets one call at a time.
    /// </summary>
    internal void Request(ulong id, PendingRequest request, IPageSink sink)
    {
        lock (_sourceLock)
        {
            var priority = request.Entry.Background ? FetchPriority.Background : FetchPriority.Demand;
            _source!.Request(
                new PageRequest(id, priority, SentNs: 0),
                [new MemoryPageRange(new MemoryPage(request.Entry.FirstPage), request.Entry.PageCount)],
                sink
            );
        }
    }

    internal void Gather() => _source?.Gather();

    internal void Send() => _source?.Send();

    internal void Cancel(ulong id)
    {
        lock (_sourceLock)
        {
            _source!.Cancel(id);
        }
    }
}
