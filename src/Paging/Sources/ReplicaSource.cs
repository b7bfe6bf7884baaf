using Userfault.Mmu;

namespace Userfault.Paging;

/// <summary>
/// All replicas of one image as one source: a request goes to one of those that are there, and where that one is lost
/// meanwhile, the pages that have not come are asked of another. Without a replica requests end in
/// <see cref="FetchFailure.SourceLost"/>. A demand request that takes longer than the p95 latency is asked of another one as well
/// (<see cref="HedgeSlow"/>), and whichever goes on first is believed. Replicas come and go on any thread; the set does not
/// own them.
/// </summary>
public sealed class ReplicaSource : IPageSource
{
    private readonly Lock _lock = new();
    private readonly Lock _openLock = new();
    private readonly Dictionary<ulong, ReplicaRequest> _open = [];
    private readonly ulong _pages;
    private volatile IPageSource[] _replicas = [];
    private ulong _lastId;

    /// <summary>A set without replicas.</summary>
    /// <param name="identity">The image.</param>
    /// <param name="pages">Its size in pages; 0: what its replicas say.</param>
    /// <param name="name">A name for messages.</param>
    /// <param name="hedges">When slow requests are hedged; null: never.</param>
    public ReplicaSource(ImageIdentity identity, ulong pages, string name, HedgeSettings? hedges = null)
    {
        (Identity, _pages, Name) = (identity, pages, name);
        NowNs = hedges?.NowNs ?? (static () => 0);
        Book = hedges is null ? null : new HedgeBook(hedges);
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ImageIdentity Identity { get; }

    /// <inheritdoc/>
    /// <remarks>0 where nobody has said yet.</remarks>
    public ulong Pages => _pages != 0 ? _pages : _replicas is [var first, ..] ? first.Pages : 0;

    /// <summary>How many replicas can be asked.</summary>
    public int Replicas => _replicas.Length;

    /// <summary>Pages that were asked of a second replica, since the first was slow.</summary>
    public long Hedged => Book?.Hedged ?? 0;

    internal HedgeBook? Book { get; }

    internal Func<long> NowNs { get; }

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
        var asked = new ReplicaRequest(this, request, ranges, sink);
        bool isNew;
        lock (_openLock) isNew = _open.TryAdd(request.Id, asked);
        if (!isNew) throw new ArgumentException($"request {request.Id} is outstanding", nameof(request));
        Book?.Asked(asked.Pages);
        asked.Go();
    }

    /// <inheritdoc/>
    public void Gather()
    {
        foreach (var replica in _replicas) replica.Gather();
    }

    /// <inheritdoc/>
    /// <remarks>A replica that was removed meanwhile is gone, and what was asked of it is asked of another.</remarks>
    public void Send()
    {
        foreach (var replica in _replicas) replica.Send();
    }

    /// <inheritdoc/>
    public void Cancel(ulong requestId)
    {
        ReplicaRequest? asked;
        lock (_openLock) asked = _open.GetValueOrDefault(requestId);
        asked?.Cancel();
    }

    /// <summary>
    /// Asks another replica for what slow demand requests still miss, as far as the bounds permit. To be called now and
    /// then, by one thread at a time.
    /// </summary>
    public void HedgeSlow()
    {
        if (Book is null || _replicas.Length < 2 || Book.SlowNs is var slowNs && slowNs == long.MaxValue) return;
        var now = NowNs();
        ReplicaRequest[] slow;
        lock (_openLock) slow = [.. _open.Values.Where(r => r.IsSlow(now, slowNs)).OrderBy(static r => r.Id)];
        foreach (var asked in slow) asked.Hedge();
    }

    /// <summary>Forgets its replicas, which go on.</summary>
    public void Dispose() => _replicas = [];

    /// <summary>A number of our own for each time that a replica is asked: one that was let go may still use its last.</summary>
    internal ulong NextId() => Interlocked.Increment(ref _lastId);

    /// <summary>A replica to ask that is none of these; null where there is none.</summary>
    internal IPageSource? Choose(ulong requestId, IReadOnlyList<IPageSource> except)
    {
        var replicas = _replicas;
        for (var i = 0; i < replicas.Length; i++)
        {
            var replica = replicas[(int)((requestId + (ulong)i) % (ulong)replicas.Length)];
            if (!except.Contains(replica)) return replica;
        }

        return null;
    }

    internal void Forget(ulong requestId)
    {
        lock (_openLock) _open.Remove(requestId);
    }
}
