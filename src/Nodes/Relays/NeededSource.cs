using Userfault.Pages;

namespace Userfault.Nodes;

/// <summary>
/// A page source that does not push pages already in place: background requests for pages that the destination has, by
/// this node's replica of its bitmap, end in <see cref="FetchFailure.NotNeeded"/> at once. Demand always passes.
/// </summary>
/// <param name="source">The source of the pages; not owned.</param>
/// <param name="replicas">This node's replicas.</param>
internal sealed class NeededSource(IPageSource source, Replicas replicas) : IPageSource
{
    private long _skipped;

    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public ImageIdentity Identity => source.Identity;

    /// <inheritdoc/>
    public ulong Pages => source.Pages;

    /// <summary>Pages that were requested but not needed.</summary>
    public long Skipped => Interlocked.Read(ref _skipped);

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<MemoryPageRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        if (request.Priority == FetchPriority.Background && !AnyMissing(ranges, out var pages))
        {
            Interlocked.Add(ref _skipped, pages);
            sink.OnFailed(request.Id, FetchFailure.NotNeeded);
            return;
        }

        source.Request(request, ranges, sink);
    }

    /// <inheritdoc/>
    public void Gather() => source.Gather();

    /// <inheritdoc/>
    public void Send() => source.Send();

    /// <inheritdoc/>
    public void Cancel(ulong requestId) => source.Cancel(requestId);

    /// <summary>Does nothing: the source stays open.</summary>
    public void Dispose() { }

    private bool AnyMissing(ReadOnlySpan<MemoryPageRange> ranges, out long pages)
    {
        pages = 0;
        foreach (var range in ranges)
        {
            if (replicas.AnyMissing(Identity, range))
                return true;
            pages += (long)range.Count;
        }

        return false;
    }
}
