namespace Userfault.Pages;

/// <summary>
/// Somewhere page content can be asked for: the local image, or a peer over the data plane. Requests never block and
/// never throw for what happens in life; every request ends in exactly one last <see cref="IPageSink.OnPages"/> or one
/// <see cref="IPageSink.OnFailed"/>. Called by one owner (a fetcher) at a time.
/// </summary>
public interface IPageSource : IDisposable
{
    /// <summary>Pages that one request may ask for: 64 MiB.</summary>
    const ulong MostPagesPerRequest = 16384;

    /// <summary>A name for messages and reports.</summary>
    string Name { get; }

    /// <summary>Which image it serves; replicas of one image answer the same.</summary>
    ImageIdentity Identity { get; }

    /// <summary>Pages in that image.</summary>
    ulong Pages { get; }

    /// <summary>Asks for pages; the answer comes to <paramref name="sink"/>.</summary>
    /// <param name="request">Number, priority, time of sending.</param>
    /// <param name="ranges">Which pages, in the order wanted; copied before the call returns.</param>
    /// <param name="sink">Where the answer goes.</param>
    /// <exception cref="ArgumentException">
    /// The number is in use by an outstanding request, or more than <see cref="MostPagesPerRequest"/> pages.
    /// </exception>
    void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink);

    /// <summary>
    /// The calling thread makes several requests now. A source to which a request costs a system call may keep them
    /// until
    /// <see cref="Send"/>, which must follow; others need not care.
    /// </summary>
    void Gather() { }

    /// <summary>What the calling thread has asked for since <see cref="Gather"/> goes out.</summary>
    void Send() { }

    /// <summary>
    /// Forgets a request: it ends in <see cref="FetchFailure.Cancelled"/>, unless its answer is on the way already.
    /// An unknown number is ignored.
    /// </summary>
    void Cancel(ulong requestId);

    /// <summary>
    /// Its answers are wrong or do not come, and this owner asks no more: lets go of the connection that is behind it,
    /// also where others share it, so that whoever keeps connections makes another.
    /// </summary>
    void GiveUp() => Dispose();
}
