using System.Threading.Channels;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Tests;

/// <summary>
/// Writes down what comes, and lets a test wait for how requests end. Given an image, it also checks every page against
/// it: what is wrong is in <see cref="Problems"/>.
/// </summary>
internal sealed class RecordingSink(IMemoryImage? image = null) : IPageSink
{
    private readonly Lock _lock = new();
    private readonly Channel<ulong> _endings = Channel.CreateUnbounded<ulong>();
    private readonly byte[] _scratch = Bytes.Buffer();
    private readonly List<RecordedBatch> _batches = [];
    private readonly List<(ulong Id, FetchFailure Failure)> _failures = [];
    private readonly List<string> _problems = [];
    private readonly List<ulong> _ended = [];

    /// <summary>Are the bytes of pages copied? Else their numbers and kinds are all that is kept.</summary>
    public bool KeepsBytes { get; init; }

    /// <summary>
    /// Called with each batch before it is written down and released: to look at it, or to hold up its source.
    /// </summary>
    public Action<PageBatch>? OnBatch { get; init; }

    /// <summary>Called with each request that has ended, and why where it failed.</summary>
    public Action<ulong, FetchFailure?>? OnEnd { get; init; }

    /// <summary>The batches, in order.</summary>
    public IReadOnlyList<RecordedBatch> Batches => Copy(_batches);

    /// <summary>The requests that failed, in order.</summary>
    public IReadOnlyList<(ulong Id, FetchFailure Failure)> Failures => Copy(_failures);

    /// <summary>The requests that have ended, in whatever way, in order.</summary>
    public IReadOnlyList<ulong> EndedIds => Copy(_ended);

    /// <summary>What is not as the image has it, and requests that failed twice.</summary>
    public IReadOnlyList<string> Problems => Copy(_problems);

    /// <summary>All pages, in the order in which they came.</summary>
    public IReadOnlyList<ulong> Gfns => [.. Batches.SelectMany(static b => b.Gfns)];

    /// <summary>In which form each page came last.</summary>
    public IReadOnlyDictionary<ulong, PageContentKind> Kinds =>
        Batches
            .SelectMany(static b => b.Gfns.Zip(b.Kinds))
            .GroupBy(static p => p.First, static p => p.Second)
            .ToDictionary(static g => g.Key, static g => g.Last());

    /// <summary>Why a request failed; null where it did not.</summary>
    public FetchFailure? FailureOf(ulong id) =>
        Failures.Where(f => f.Id == id).Select(static f => (FetchFailure?)f.Failure).FirstOrDefault();

    public void OnPages(PageBatch batch)
    {
        OnBatch?.Invoke(batch);
        var (id, isLast) = (batch.RequestId, batch.IsLast);
        lock (_lock)
        {
            if (image is not null)
                Check(batch, image);
            var pages = batch.Pages.ToArray();
            _batches.Add(
                new RecordedBatch(
                    id,
                    isLast,
                    batch.CompletedNs,
                    [.. pages.Select(static p => p.Page.Value)],
                    [.. pages.Select(static p => p.Kind)],
                    KeepsBytes ? [.. pages.Select(static p => Bytes.PageOf(p))] : []
                )
            );
        }

        batch.Release();
        if (isLast)
            End(id, null);
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        lock (_lock)
            _failures.Add((requestId, failure));
        End(requestId, failure);
    }

    /// <summary>Waits until that many more requests have ended, in whatever way.</summary>
    public async Task Ended(int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            try
            {
                await _endings.Reader.ReadAsync().AsTask().WaitAsync(Patience.Longest).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"only {i} of {requests} requests ended");
            }
        }
    }

    /// <summary>The same on the caller's thread.</summary>
    public void EndedHere(int requests) => Ended(requests).GetAwaiter().GetResult();

    /// <summary>Every page was as the image has it, and no request has ended twice.</summary>
    public void AssertClean()
    {
        Assert.Empty(Problems);
        Assert.Equal(EndedIds.Distinct().Count(), EndedIds.Count);
    }

    /// <summary>Forgets what has come.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            _batches.Clear();
            _failures.Clear();
            _problems.Clear();
            _ended.Clear();
        }
    }

    private void End(ulong id, FetchFailure? failure)
    {
        lock (_lock)
            _ended.Add(id);
        OnEnd?.Invoke(id, failure);
        _endings.Writer.TryWrite(id);
    }

    private unsafe void Check(PageBatch batch, IMemoryImage expectedImage)
    {
        foreach (var page in batch.Pages)
        {
            var expected = expectedImage.Read(page.Page, Bytes.Pointer(_scratch));
            var isZero = expected == null || ZeroPage.IsZero(expected);
            var isRight =
                page.Bytes == null
                    ? isZero && page.Kind == PageContentKind.Zero
                    : !isZero
                        && new ReadOnlySpan<byte>(page.Bytes, Page.Size).SequenceEqual(
                            new ReadOnlySpan<byte>(expected, Page.Size)
                        );
            if (!isRight)
                _problems.Add($"{page.Page} is not what the image has");
            if (page.Bytes != null && page.ChecksumOrZero != Crc32C.OfPage(page.Bytes))
                _problems.Add($"{page.Page} has another checksum than it says");
        }
    }

    private List<T> Copy<T>(List<T> list)
    {
        lock (_lock)
            return [.. list];
    }
}
