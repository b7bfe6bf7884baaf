using System.Collections.Concurrent;
using System.Threading.Channels;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>Checks what comes against an image, and lets a test wait for how requests end.</summary>
internal sealed class CollectingSink(IMemoryImage image) : IPageSink
{
    private readonly ConcurrentQueue<ulong> _ended = new();
    private readonly Channel<ulong> _endings = Channel.CreateUnbounded<ulong>();
    private readonly byte[] _scratch = GC.AllocateArray<byte>(Page.Size, pinned: true);

    public ConcurrentDictionary<ulong, PageContentKind> Pages { get; } = new();

    public ConcurrentDictionary<ulong, FetchFailure> Failures { get; } = new();

    public ConcurrentQueue<string> Problems { get; } = new();

    public int PageCount;

    public unsafe void OnPages(PageBatch batch)
    {
        fixed (byte* scratch = _scratch)
        {
            foreach (var page in batch.Pages)
            {
                var expected = image.Read(page.Page, scratch);
                var isZero = expected == null || ZeroPage.IsZero(expected);
                var isRight =
                    page.Bytes == null
                        ? isZero && page.Kind == PageContentKind.Zero
                        : !isZero
                            && new ReadOnlySpan<byte>(page.Bytes, Page.Size).SequenceEqual(
                                new ReadOnlySpan<byte>(expected, Page.Size)
                            );
                if (!isRight)
                {
                    Problems.Enqueue($"{page.Page} is not what the image has");
                }
                if (page.Bytes != null && page.ChecksumOrZero != Crc32C.OfPage(page.Bytes))
                {
                    Problems.Enqueue($"{page.Page} has another checksum than it says");
                }
                Pages[page.Page.Value] = page.Kind;
                Interlocked.Increment(ref PageCount);
            }
        }
        (var id, var isLast) = (batch.RequestId, batch.IsLast);
        batch.Release();
        if (isLast)
        {
            _ended.Enqueue(id);
            _endings.Writer.TryWrite(id);
        }
    }

    public void OnFailed(ulong requestId, FetchFailure failure)
    {
        if (!Failures.TryAdd(requestId, failure))
        {
            Problems.Enqueue($"request {requestId} failed twice");
        }
        _ended.Enqueue(requestId);
        _endings.Writer.TryWrite(requestId);
    }

    /// <summary>Waits until that many more requests have ended, in whatever way.</summary>
    public async Task Ended(int requests)
    {
        for (var i = 0; i < requests; i++)
        {
            try
            {
                await _endings.Reader.ReadAsync().AsTask().WaitAsync(Plane.Patience);
            }
            catch (TimeoutException)
            {
                Assert.Fail($"only {i} of {requests} requests ended");
            }
        }
    }

    public void AssertClean()
    {
        Assert.Empty(Problems);
        Assert.Equal(_ended.Count, _ended.Distinct().Count());
    }
}
