using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// One page source for several owners: a connection that one fetcher asks first and others ask for hedges. Each owner
/// has a view of its own with request numbers of its own; who lets go of a view leaves the source as it is.
/// </summary>
/// <param name="source">The source; not owned.</param>
public sealed class SharedPageSource(IPageSource source)
{
    private const int OwnerBits = 16;
    private readonly Lock _lock = new();
    private uint _owners;

    /// <summary>The source's name.</summary>
    public string Name => source.Name;

    /// <summary>A view for one more owner that asks besides others. Its request numbers are below 2^48.</summary>
    /// <exception cref="InvalidOperationException">65536 views have been given out.</exception>
    public IPageSource Open() => Open(mayGiveUp: false);

    /// <summary>A view for one more owner. Its request numbers are below 2^48.</summary>
    /// <param name="mayGiveUp">
    /// Does the source end for all when this owner gives it up? For the one that asks it first; others may find it slow for
    /// reasons of their own.
    /// </param>
    /// <exception cref="InvalidOperationException">65536 views have been given out.</exception>
    public IPageSource Open(bool mayGiveUp)
    {
        lock (_lock)
        {
            if (_owners == 1 << OwnerBits) throw new InvalidOperationException($"{source.Name} has too many owners");
            return new View(source, _lock, _owners++, mayGiveUp);
        }
    }

    // The owner's number is in the low bits of each request: answers find back without a table.
    private sealed class View(IPageSource source, Lock shared, ulong owner, bool mayGiveUp) : IPageSource
    {
        private Back? _back;

        public string Name => source.Name;

        public ImageIdentity Identity => source.Identity;

        public ulong Pages => source.Pages;

        public void Request(in PageRequest request, ReadOnlySpan<GfnRange> ranges, IPageSink sink)
        {
            ArgumentNullException.ThrowIfNull(sink);
            var back = _back is { } last && last.Sink == sink ? last : _back = new Back(sink);
            lock (shared) source.Request(request with { Id = (request.Id << OwnerBits) | owner }, ranges, back);
        }

        public void Gather() => source.Gather();

        public void Send() => source.Send();

        public void Cancel(ulong requestId)
        {
            lock (shared) source.Cancel((requestId << OwnerBits) | owner);
        }

        public void Dispose()
        {
        }

        public void GiveUp()
        {
            if (mayGiveUp) source.Dispose();
        }
    }

    private sealed class Back(IPageSink sink) : IPageSink
    {
        public IPageSink Sink { get; } = sink;

        public void OnPages(PageBatch batch)
        {
            batch.RequestId >>= OwnerBits;
            Sink.OnPages(batch);
        }

        public void OnFailed(ulong requestId, FetchFailure failure) => Sink.OnFailed(requestId >> OwnerBits, failure);
    }
}
