namespace Userfault.Pages;

/// <summary>
/// Gets an image's manifest from a source of it, piece by piece; what a lost source did not answer is asked again, for
/// as long as it takes.
/// </summary>
/// <param name="source">Where the manifest's pages come from.</param>
/// <param name="image">The image that it describes.</param>
/// <param name="retryAfter">How long after a failure a piece is asked for again.</param>
/// <param name="time">The clock behind that.</param>
public sealed class ManifestDownload(IPageSource source, ImageIdentity image, TimeSpan retryAfter, TimeProvider time)
{
    private const ulong PagesAPiece = 16;
    private const int Pieces = 4;

    private ulong _lastRequest;

    /// <summary>The image's shape.</summary>
    /// <exception cref="PagingException">What came is no manifest of this image.</exception>
    /// <exception cref="OperationCanceledException">Cancelled meanwhile.</exception>
    public async Task<ImageManifest> Describe(CancellationToken cancelled)
    {
        var first = await Ask(new MemoryPageRange(new MemoryPage(0), 1), cancelled);
        var pages = ImageManifest.HeaderPagesIn(first);
        var header = pages > 1 ? await Ask(new MemoryPageRange(new MemoryPage(0), pages), cancelled) : first;
        return ImageManifest.Read(header, image) ?? throw Wrong("what was sent is no description of this image");
    }

    /// <summary>Fills a table of digests, and completes it.</summary>
    /// <exception cref="PagingException">The source has fewer than it should.</exception>
    /// <exception cref="OperationCanceledException">Cancelled meanwhile.</exception>
    public async Task Fill(ImageManifest manifest, PageDigests digests, CancellationToken cancelled)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ArgumentNullException.ThrowIfNull(digests);
        var next = manifest.HeaderPages;
        async Task Run()
        {
            while (true)
            {
                var first = Interlocked.Add(ref next, PagesAPiece) - PagesAPiece;
                if (first >= manifest.Pages)
                    return;
                digests.Put(
                    first,
                    await Ask(
                        new MemoryPageRange(new MemoryPage(first), Math.Min(PagesAPiece, manifest.Pages - first)),
                        cancelled
                    )
                );
            }
        }

        await Task.WhenAll(Enumerable.Range(0, Pieces).Select(_ => Run()));
        digests.Complete();
    }

    private async Task<byte[]> Ask(MemoryPageRange range, CancellationToken cancelled)
    {
        while (true)
        {
            cancelled.ThrowIfCancellationRequested();
            var answer = new CollectedPages(range);
            source.Request(
                new PageRequest(Interlocked.Increment(ref _lastRequest), FetchPriority.Background, SentNs: 0),
                [range],
                answer
            );
            var failure = await answer.Ended.WaitAsync(cancelled);
            if (failure is null)
                return answer.Bytes;
            if (failure == FetchFailure.OutsideImage)
                throw Wrong($"the source has no page {range.Start.Value} +{range.Count} of it");
            await Task.Delay(retryAfter, time, cancelled);
        }
    }

    private static PagingException Wrong(string what) =>
        new(PagingError.Corrupt, "page digests", what, "give this node the image itself");
}
