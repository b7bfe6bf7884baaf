using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>
/// Serves an image's manifest. Digests take far longer to make than pages to send, so a thread of its own makes them,
/// request by request and a little at a time, and the server's thread never waits for one. Digests that somebody waits
/// for are made before others, also in the middle of a request for those.
/// </summary>
public sealed unsafe class ManifestSource : IPageSource
{
    private const ulong PagesABatch = 8;

    private readonly IMemoryImage _image;
    private readonly ImageManifest _manifest;
    private readonly byte[] _header;
    private readonly PageBatchPool _batches = new();
    private readonly object _lock = new();
    private readonly Queue<Job> _demand = new();
    private readonly Queue<Job> _background = new();
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

        var job = new Job(request.Id, request.Priority == FetchPriority.Demand, ranges.ToArray(), sink);
        if (!_outstanding.TryAdd(request.Id, job))
            throw new ArgumentException($"request {request.Id} is outstanding", nameof(request));
        _ = _thread.Value;
        lock (_lock)
        {
            if (!_isDisposed)
            {
                (job.IsDemand ? _demand : _background).Enqueue(job);
                Monitor.Pulse(_lock);
                return;
            }
        }

        _outstanding.TryRemove(job.Id, out _);
        sink.OnFailed(request.Id, FetchFailure.SourceLost);
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
        lock (_lock)
        {
            _isDisposed = true;
            Monitor.Pulse(_lock);
        }

        if (_thread.IsValueCreated)
            _thread.Value.Join();
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
            while (Next() is { } job)
                Do(job, scratch);
        }
        finally
        {
            NativeMemory.AlignedFree(scratch);
        }
    }

    // Null at the end, when nothing is left.
    private Job? Next()
    {
        lock (_lock)
        {
            while (true)
            {
                if (_demand.TryDequeue(out var job) || _background.TryDequeue(out job))
                    return job;
                if (_isDisposed)
                    return null;
                Monitor.Wait(_lock);
            }
        }
    }

    private void Do(Job job, byte* scratch)
    {
        if (Answer(job, scratch) is not { } failure)
            return;
        _outstanding.TryRemove(job.Id, out _);
        job.Sink.OnFailed(job.Id, failure);
    }

    private void DoDemand(byte* scratch)
    {
        while (true)
        {
            Job? job;
            lock (_lock)
            {
                if (!_demand.TryDequeue(out job))
                    return;
            }

            Do(job, scratch);
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

                if (!job.IsDemand)
                    DoDemand(scratch);
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

    private sealed class Job(ulong id, bool isDemand, MemoryPageRange[] ranges, IPageSink sink)
    {
        private volatile bool _isCancelled;

        public ulong Id => id;

        public bool IsDemand => isDemand;

        public MemoryPageRange[] Ranges => ranges;

        public IPageSink Sink => sink;

        public bool IsCancelled
        {
            get => _isCancelled;
            set => _isCancelled = value;
        }
    }
}
