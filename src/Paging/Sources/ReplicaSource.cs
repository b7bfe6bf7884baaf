using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// All replicas of one image as one source: a request goes to one of those that are there, and where that one is lost
/// meanwhile, the pages that have not come are asked of another. Without a replica requests end in
/// <see cref="FetchFailure.SourceLost"/>. Replicas come and go on any thread; the set does not own them.
/// </summary>
/// <param name="identity">The image.</param>
/// <param name="pages">Its size in pages.</param>
/// <param name="name">A name for messages.</param>
public sealed class ReplicaSource(ImageIdentity identity, ulong pages, string name) : IPageSource
{
    private readonly Lock _lock = new();
    private volatile IPageSource[] _replicas = [];

    /// <inheritdoc/>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public ImageIdentity Identity { get; } = identity;

    /// <inheritdoc/>
    public ulong Pages { get; } = pages;

    /// <summary>How many replicas can be asked.</summary>
    public int Replicas => _replicas.Length;

    /// <summary>A replica can be asked from now on.</summary>
    public void Add(IPageSource replica)
    {
        lock (_lock)
        {
            _replicas = [.. _replicas, replica];
        }
    }

    /// <summary>A replica is gone.</summary>
    public void Remove(IPageSource replica)
    {
        lock (_lock)
        {
            _replicas = [.. _replicas.Where(r => r != replica)];
        }
    }

    /// <inheritdoc/>
    public void Request(in PageRequest request, ReadOnlySpan<GfnRange> ranges, IPageSink sink)
    {
        ArgumentNullException.ThrowIfNull(sink);
        new Attempt(this, request, ranges.ToArray(), sink).Go();
    }

    /// <inheritdoc/>
    /// <remarks>Told to all replicas: those that were not asked do not know the number.</remarks>
    public void Cancel(ulong requestId)
    {
        foreach (var replica in _replicas) replica.Cancel(requestId);
    }

    /// <summary>Forgets its replicas, which go on.</summary>
    public void Dispose() => _replicas = [];

    // One request until it is answered. Only one replica at a time has it, so its calls never overlap.
    private sealed class Attempt(ReplicaSource source, PageRequest request, GfnRange[] wanted, IPageSink sink) : IPageSink
    {
        private readonly HashSet<ulong> _here = [];
        private readonly List<IPageSource> _tried = [];

        public void Go()
        {
            var replicas = source._replicas;
            for (var i = 0; i < replicas.Length; i++)
            {
                var replica = replicas[(int)((request.Id + (ulong)i) % (ulong)replicas.Length)];
                if (_tried.Contains(replica)) continue;
                _tried.Add(replica);
                replica.Request(request, Missing(), this);
                return;
            }

            sink.OnFailed(request.Id, FetchFailure.SourceLost);
        }

        public void OnPages(PageBatch batch)
        {
            if (!batch.IsLast)
            {
                foreach (var page in batch.Pages) _here.Add(page.Gfn.Value);
            }

            sink.OnPages(batch);
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            if (failure == FetchFailure.SourceLost)
                Go();
            else
                sink.OnFailed(requestId, failure);
        }

        private GfnRange[] Missing()
        {
            if (_here.Count == 0) return wanted;
            var missing = new List<GfnRange>();
            foreach (var range in wanted)
            {
                for (ulong i = 0; i < range.Count; i++)
                {
                    var gfn = range.Start.Plus(i);
                    if (_here.Contains(gfn.Value)) continue;
                    if (missing.Count > 0 && missing[^1].End == gfn)
                        missing[^1] = missing[^1] with { Count = missing[^1].Count + 1 };
                    else
                        missing.Add(new GfnRange(gfn, 1));
                }
            }

            return [.. missing];
        }
    }
}
