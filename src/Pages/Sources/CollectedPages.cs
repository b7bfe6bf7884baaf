using Userfault.Mmu;

namespace Userfault.Pages;

/// <summary>Takes the answer of one request for one run of pages, as bytes; pages that do not come are zeros.</summary>
/// <param name="range">The pages that were requested.</param>
internal sealed class CollectedPages(MemoryPageRange range) : IPageSink
{
    private readonly TaskCompletionSource<FetchFailure?> _ended = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );

    /// <summary>The pages' bytes; complete when <see cref="Ended"/> is null.</summary>
    public byte[] Bytes { get; } = new byte[range.Count << Page.Shift];

    /// <summary>Done at the end of the answer: null, or why the request failed.</summary>
    public Task<FetchFailure?> Ended => _ended.Task;

    /// <inheritdoc/>
    public unsafe void OnPages(PageBatch batch)
    {
        foreach (var page in batch.Pages)
        {
            if (!range.Contains(page.Page) || page.Bytes == null)
                continue;
            new ReadOnlySpan<byte>(page.Bytes, Page.Size).CopyTo(
                Bytes.AsSpan((int)((page.Page.Value - range.Start.Value) << Page.Shift))
            );
        }

        var isLast = batch.IsLast;
        batch.Release();
        if (isLast)
            _ended.TrySetResult(null);
    }

    /// <inheritdoc/>
    public void OnFailed(ulong requestId, FetchFailure failure) => _ended.TrySetResult(failure);
}
