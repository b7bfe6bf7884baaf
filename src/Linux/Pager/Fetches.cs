using System.Collections.Concurrent;
using System.Diagnostics;
using Userfault.Paging;

namespace Userfault.Linux;

/// <summary>
/// Requests of one pager to the page sources. Asked for and taken out on the pager's thread; answers arrive on the sources'
/// threads and wake it. What a lost source did not answer is asked of the others.
/// </summary>
internal sealed class Fetches(SourceSet sources, EventFd wake, PagerCounters counters) : IPageSink
{
    private readonly ConcurrentQueue<(PageBatch? Batch, ulong Id, FetchFailure Failure)> _arrived = new();
    private readonly Dictionary<ulong, Fetch> _open = [];
    private readonly List<Fetch> _orphans = [];
    private int _isParked;

    /// <summary>Pages of pushes that are not here yet.</summary>
    public ulong PushedInFlight { get; private set; }

    /// <summary>Is something waiting for a source?</summary>
    public bool HasOrphans => _orphans.Count > 0;

    /// <summary>For how long there has been no source, in ns.</summary>
    public long LostForNs => sources.LostForNs;

    /// <summary>Does anything wait to be taken?</summary>
    public bool HasArrivals => !_arrived.IsEmpty;

    /// <summary>Asks for pages.</summary>
    public void Start(Fetch fetch)
    {
        if (fetch.Priority == FetchPriority.Background) PushedInFlight += fetch.Pages;
        Ask(fetch);
    }

    /// <summary>The next answer: a batch, whose fetch is over with it where <paramref name="over"/> is set; or an end without pages.</summary>
    public bool TryTake(out PageBatch? batch, out Fetch? over, out FetchFailure? failure, out bool isDemand)
    {
        isDemand = false;
        while (_arrived.TryDequeue(out var arrival))
        {
            batch = arrival.Batch;
            over = null;
            failure = null;
            if (batch is not null)
            {
                isDemand = _open.TryGetValue(batch.RequestId, out var of) && of.Priority == FetchPriority.Demand;
                if (batch.IsLast) over = End(batch.RequestId);
                return true;
            }
            var fetch = End(arrival.Id);
            if (fetch is null) continue;
            counters.CountFailedFetch();
            if (arrival.Failure == FetchFailure.OutsideImage)
            {
                (over, failure) = (fetch, arrival.Failure);
                return true;
            }
            if (fetch.Priority == FetchPriority.Background) PushedInFlight += fetch.Pages;
            _orphans.Add(fetch);
        }
        batch = null;
        over = null;
        failure = null;
        return false;
    }

    /// <summary>Asks again for what lost its source, where there is one now.</summary>
    public void AskOrphans()
    {
        if (_orphans.Count == 0 || sources.Count == 0) return;
        var again = _orphans.ToArray();
        _orphans.Clear();
        foreach (var fetch in again) Ask(fetch);
    }

    /// <summary>The pager's thread is about to sleep: true where nothing arrived meanwhile.</summary>
    public bool Park()
    {
        Volatile.Write(ref _isParked, 1);
        Interlocked.MemoryBarrier();
        if (_arrived.IsEmpty) return true;
        Unpark();
        return false;
    }

    /// <summary>It woke up.</summary>
    public void Unpark() => Volatile.Write(ref _isParked, 0);

    /// <inheritdoc/>
    public void OnPages(PageBatch batch) => Arrive((batch, batch.RequestId, default));

    /// <inheritdoc/>
    public void OnFailed(ulong requestId, FetchFailure failure) => Arrive((null, requestId, failure));

    /// <summary>Lets go of what arrived and was not taken.</summary>
    public void Drop()
    {
        while (_arrived.TryDequeue(out var arrival)) arrival.Batch?.Release();
    }

    private void Arrive((PageBatch?, ulong, FetchFailure) arrival)
    {
        _arrived.Enqueue(arrival);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isParked) != 0) wake.Signal();
    }

    private void Ask(Fetch fetch)
    {
        if (sources.Pick() is not { } source)
        {
            _orphans.Add(fetch);
            return;
        }
        counters.CountFetch();
        var id = sources.NextId();
        _open.Add(id, fetch);
        source.Request(new PageRequest(id, fetch.Priority, Stopwatch.GetTimestamp()), fetch.Ranges, this);
    }

    private Fetch? End(ulong id)
    {
        if (!_open.Remove(id, out var fetch)) return null;
        if (fetch.Priority == FetchPriority.Background) PushedInFlight -= fetch.Pages;
        return fetch;
    }
}
