namespace Userfault.Pages;

/// <summary>
/// Where a source's answers go. Called on whatever thread completes the request, possibly the caller's own before
/// <see cref="IPageSource.Request"/> returns, and never under a lock of the source. An implementation hands over (tells
/// an actor) and returns; it does not block.
/// </summary>
public interface IPageSink
{
    /// <summary>
    /// Pages have come. A request may be answered by several batches; it is done when
    /// <see cref="PageBatch.IsLast"/> is set. The receiver owns the batch and releases it once.
    /// </summary>
    void OnPages(PageBatch batch);

    /// <summary>The request is over without (the rest of) its pages.</summary>
    void OnFailed(ulong requestId, FetchFailure failure);
}
