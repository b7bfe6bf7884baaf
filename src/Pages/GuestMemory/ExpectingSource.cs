namespace Userfault.Pages;

/// <summary>
/// A page source whose pages find their memory made: runs of pages that have come are announced to guest memory on the
/// thread that received them (<see cref="IGuestMemory.Expect"/>), before they are handed on. Memory that nobody has
/// touched costs more than all else that is done for a page, and the thread that places pages is the busiest one.
/// </summary>
/// <param name="source">Where pages come from; owned.</param>
/// <param name="memory">Where they will go, by the image's memoryPages; not owned.</param>
public sealed class ExpectingSource(IPageSource source, IGuestMemory memory) : IPageSource
{
    // A few pages are made as fast by their faults.
    private const ulong LeastRun = 4;

    private Announcer? _announcer;

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public ImageIdentity Identity => source.Identity;

    /// <inheritdoc/>
    public ulong Pages => source.Pages;

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        var announcer = Volatile.Read(ref _announcer);
        if (announcer?.Sink != sink)
            Volatile.Write(ref _announcer, announcer = new Announcer(sink, memory));
        source.Request(request, ranges, announcer);
    }

    /// <inheritdoc/>
    public void Gather() => source.Gather();

    /// <inheritdoc/>
    public void Send() => source.Send();

    /// <inheritdoc/>
    public void Cancel(ulong requestId) => source.Cancel(requestId);

    /// <inheritdoc/>
    public void GiveUp() => source.GiveUp();

    /// <inheritdoc/>
    public void Dispose() => source.Dispose();

    private sealed class Announcer(IPageSink sink, IGuestMemory memory) : IPageSink
    {
        public IPageSink Sink => sink;

        public void OnPages(PageBatch batch)
        {
            Announce(batch.Pages);
            sink.OnPages(batch);
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => sink.OnFailed(requestId, failure);

        // Zero pages are left out: memory that only ever holds zeros is never made.
        private void Announce(ReadOnlySpan<PageContent> pages)
        {
            for (var i = 0; i < pages.Length; )
            {
                var run = new MemoryPageRange(pages[i].Page, 0);
                for (; i < pages.Length && pages[i].Kind != PageContentKind.Zero && pages[i].Page == run.End; i++)
                    run = run with { Count = run.Count + 1 };
                if (run.Count >= LeastRun)
                    memory.Expect(run);
                if (run.Count == 0)
                    i++;
            }
        }
    }
}
