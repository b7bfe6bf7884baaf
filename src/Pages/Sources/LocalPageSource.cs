namespace Userfault.Pages;

/// <summary>
/// Pages out of an image in this process, behind a modelled path. With an instant path the answer comes within
/// <see cref="Request"/>; else from <see cref="Pump"/> when its time is there. Zero pages and contents that this source
/// has sent before go as markers: they cost the path a header and no page.
/// </summary>
public sealed class LocalPageSource : IPageSource, IPumped
{
    /// <summary>What a page costs the path beside its bytes: the head of a data-plane frame, in bytes.</summary>
    public const int HeaderBytes = 16;

    private readonly Lock _lock = new();
    private readonly PageReader _reader;
    private readonly IMemoryImage _image;
    private readonly LinkModel? _link;
    private readonly Action? _wake;
    private readonly Dictionary<ulong, ulong> _keys = [];
    private readonly Dictionary<ulong, Waiting> _outstanding = [];
    private ulong _nextKey;
    private long _nextDueNs = long.MaxValue;
    private bool _closed;

    /// <summary>A source of <paramref name="image"/>, which it does not own.</summary>
    /// <param name="image">Where the pages are.</param>
    /// <param name="settings">The path and what is recognised; null for an instant one.</param>
    /// <param name="wake">
    /// Called, outside all locks, after <see cref="NextDueNs"/> may have moved nearer: <see cref="SpinningPump.Wake"/>,
    /// or what sets a virtual timer. Null where the owner looks by itself.
    /// </param>
    /// <exception cref="PagingException">A setting of the path is negative.</exception>
    public LocalPageSource(IMemoryImage image, LocalSourceSettings? settings = null, Action? wake = null)
    {
        ArgumentNullException.ThrowIfNull(image);
        settings ??= new LocalSourceSettings();
        _image = image;
        _reader = new PageReader(image, settings);
        _link = settings.Link.IsInstant ? null : new LinkModel(settings.Link);
        _wake = wake;
    }

    /// <inheritdoc/>
    public string Name => _image.Name;

    /// <inheritdoc/>
    public ImageIdentity Identity => _image.Identity;

    /// <inheritdoc/>
    public ulong Pages => _image.Pages;

    /// <inheritdoc/>
    public long NextDueNs => Volatile.Read(ref _nextDueNs);

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        CheckSize(ranges);
        if (Refusal(ranges) is { } failure)
        {
            sink.OnFailed(request.Id, failure);
            return;
        }
        PageBatch batch;
        lock (_lock)
        {
            batch = _reader.Read(request.Id, ranges, out var lineBytes);
            if (_link != null)
                Send(_link, request, lineBytes, new Waiting(_nextKey, batch, sink));
        }
        if (_link == null)
            sink.OnPages(batch);
        else
            _wake?.Invoke();
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        Waiting waiting;
        lock (_lock)
        {
            // Its answer stays on the line, as it would on a real one, and is thrown away at the end of it.
            if (!_keys.Remove(requestId, out var key) || !_outstanding.Remove(key, out waiting))
                return;
        }
        waiting.Batch.Release();
        waiting.Sink.OnFailed(requestId, FetchFailure.Cancelled);
    }

    /// <inheritdoc/>
    public void Pump(long nowNs)
    {
        while (TryComplete(nowNs, out var waiting))
            waiting.Sink.OnPages(waiting.Batch);
    }

    /// <summary>
    /// Closes the source: what is outstanding ends in <see cref="FetchFailure.SourceLost"/>, as does what comes later.
    /// </summary>
    public void Dispose()
    {
        Waiting[] lost;
        lock (_lock)
        {
            _closed = true;
            lost = [.. _outstanding.Values.OrderBy(static w => w.Key)];
            _outstanding.Clear();
            _keys.Clear();
            Volatile.Write(ref _nextDueNs, long.MaxValue);
        }
        foreach (var waiting in lost)
        {
            var id = waiting.Batch.RequestId;
            waiting.Batch.Release();
            waiting.Sink.OnFailed(id, FetchFailure.SourceLost);
        }
    }

    private static void CheckSize(ReadOnlySpan<MemoryPageRange> ranges)
    {
        ulong pages = 0;
        foreach (var range in ranges)
        {
            pages += range.Count;
            if (range.Count > IPageSource.MostPagesPerRequest || pages > IPageSource.MostPagesPerRequest)
            {
                throw new ArgumentException(
                    $"more than {IPageSource.MostPagesPerRequest} pages in one request",
                    nameof(ranges)
                );
            }
        }
    }

    private FetchFailure? Refusal(ReadOnlySpan<MemoryPageRange> ranges)
    {
        if (Volatile.Read(ref _closed))
            return FetchFailure.SourceLost;
        foreach (var range in ranges)
        {
            if (range.Start.Value > Pages || range.Count > Pages - range.Start.Value)
                return FetchFailure.OutsideImage;
        }
        return null;
    }

    private void Send(LinkModel link, in PageRequest request, long lineBytes, Waiting waiting)
    {
        if (!_keys.TryAdd(request.Id, waiting.Key))
        {
            waiting.Batch.Release();
            throw new ArgumentException($"request {request.Id} is outstanding", nameof(request));
        }
        _outstanding.Add(waiting.Key, waiting);
        _nextKey++;
        link.Submit(request.SentNs, waiting.Key, lineBytes, request.Priority);
        Volatile.Write(ref _nextDueNs, link.NextDueNs);
    }

    private bool TryComplete(long nowNs, out Waiting waiting)
    {
        waiting = default;
        if (_link == null || nowNs < NextDueNs)
            return false;
        lock (_lock)
        {
            while (!_closed && _link.TryComplete(nowNs, out var key, out var completedNs))
            {
                Volatile.Write(ref _nextDueNs, _link.NextDueNs);
                if (!_outstanding.Remove(key, out waiting))
                    continue;
                _keys.Remove(waiting.Batch.RequestId);
                waiting.Batch.CompletedNs = completedNs;
                return true;
            }
            // A pump after the closing must not bring the due time of a dead line back.
            Volatile.Write(ref _nextDueNs, _closed ? long.MaxValue : _link.NextDueNs);
            return false;
        }
    }

    // Requests on the line by a number of our own: one that was cancelled may leave its answer there while the
    // requester uses its number again.
    private readonly record struct Waiting(ulong Key, PageBatch Batch, IPageSink Sink);
}
