using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Serves an image's manifest. Digests take far longer to make than pages to send, so a thread of its own makes them,
/// request by request and a little at a time, and the server's thread never waits for one.
/// </summary>
public sealed unsafe class ManifestSource : IPageSource
{
    private const ulong PagesABatch = 8;

    private readonly IMemoryImage _image;
    private readonly ImageManifest _manifest;
    private readonly byte[] _header;
    private readonly PageBatchPool _batches = new();
    private readonly BlockingCollection<Job> _jobs = [];
    private readonly ConcurrentDictionary<ulong, Job> _outstanding = new();
    private readonly Lazy<Thread> _thread;
    private volatile bool _isDisposed;

    /// <summary>A source of the manifest of <paramref name="image"/>, which must outlive it.</summary>
    /// <param name="image">The image.</param>
    /// <param name="identity">Which of its identities the manifest is asked for by; null: the one that it has at
    /// once.</param>
    /// <exception cref="PagingException">The image has too many ranges.</exception>
    public ManifestSource(IMemoryImage image, ImageIdentity? identity = null)
    {
        _manifest = new ImageManifest(image, identity);
        _image = image;
        _header = new byte[_manifest.HeaderPages << Page.Shift];
        _manifest.WriteHeader(_header);
        Identity = ImageManifest.IdentityOf(_manifest.Image);
        _thread = new Lazy<Thread>(Start);
    }

    /// <inheritdoc/>
    public string Name => $"digests of {_image.Name}";

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <inheritdoc/>
    public ulong Pages => _manifest.Pages;

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        FetchFailure? failure = _isDisposed ? FetchFailure.SourceLost : null;
        foreach (var range in ranges)
        {
            if (range.Start.Value > Pages || range.Count > Pages - range.Start.Value)
                failure ??= FetchFailure.OutsideImage;
        }

        if (failure is { } known)
        {
            sink.OnFailed(request.Id, known);
            return;
        }

        var job = new Job(request.Id, ranges.ToArray(), sink);
        if (!_outstanding.TryAdd(request.Id, job))
            throw new ArgumentException($"request {request.Id} is outstanding", nameof(request));
        _ = _thread.Value;
        _jobs.Add(job);
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        if (_outstanding.TryGetValue(requestId, out var job))
            job.IsCancelled = true;
    }

    /// <summary>Ends what is outstanding in <see cref="FetchFailure.SourceLost"/>, and waits for the thread.</summary>
    public void Dispose()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        _jobs.CompleteAdding();
        if (_thread.IsValueCreated)
            _thread.Value.Join();
        _jobs.Dispose();
    }

    private Thread Start()
    {
        var thread = new Thread(Work)
        {
            IsBackground = true,
            Name = "page digests",
            Priority = ThreadPriority.BelowNormal,
        };
        thread.Start();
        return thread;
    }

    private void Work()
    {
        var scratch = (byte*)NativeMemory.AlignedAlloc(Page.Size, Page.Size);
        try
        {
            foreach (var job in _jobs.GetConsumingEnumerable())
            {
                if (Answer(job, scratch) is not { } failure)
                    continue;
                _outstanding.TryRemove(job.Id, out _);
                job.Sink.OnFailed(job.Id, failure);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }

    /// <summary>Null where all was answered, else why not.</summary>
    private FetchFailure? Answer(Job job, byte* scratch)
    {
        var left = job.Ranges.Aggregate(0UL, static (sum, range) => sum + range.Count);
        var batch = _batches.Rent(job.Id);
        foreach (var range in job.Ranges)
        {
            for (var page = range.Start; page != range.End; page = page.Plus(1))
            {
                if (job.IsCancelled || _isDisposed)
                {
                    batch.Release();
                    return _isDisposed ? FetchFailure.SourceLost : FetchFailure.Cancelled;
                }

                var to = batch.TakeBuffer();
                Make(page.Value, new Span<byte>(to, Page.Size), scratch);
                batch.Add(PageContent.Of(page, to));
                if (--left == 0 || (ulong)batch.Count < PagesABatch)
                    continue;
                batch.IsLast = false;
                job.Sink.OnPages(batch);
                batch = _batches.Rent(job.Id);
            }
        }

        // Free before the answer: whoever gets it may use the number again.
        _outstanding.TryRemove(job.Id, out _);
        job.Sink.OnPages(batch);
        return null;
    }

    private void Make(ulong page, Span<byte> to, byte* scratch)
    {
        if (page < _manifest.HeaderPages)
        {
            _header.AsSpan((int)(page << Page.Shift), Page.Size).CopyTo(to);
            return;
        }

        to.Clear();
        var first = (page - _manifest.HeaderPages) * PageDigest.PerPage;
        for (var i = 0UL; i < PageDigest.PerPage && first + i < _manifest.Described; i++)
        {
            var bytes = _image.Read(_manifest.GfnAt(first + i), scratch);
            (bytes == null ? PageDigest.Zero : PageDigest.Of(bytes)).Write(to[((int)i * PageDigest.Size)..]);
        }
    }

    private sealed class Job(ulong id, MemoryPageRange[] ranges, IPageSink sink)
    {
        private volatile bool _isCancelled;

        public ulong Id => id;

        public MemoryPageRange[] Ranges => ranges;

        public IPageSink Sink => sink;

        public bool IsCancelled
        {
            get => _isCancelled;
            set => _isCancelled = value;
        }
    }
}
