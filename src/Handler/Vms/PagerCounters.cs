using Userfault.Fetch;

namespace Userfault.Handler;

/// <summary>What a pager did, in events and pages. Written by its thread; others may read at any time.</summary>
public sealed class PagerCounters
{
    private long _faults,
        _stale,
        _requests,
        _demand,
        _background,
        _zero,
        _removed,
        _zeroed,
        _eexist,
        _eagain,
        _deferred;
    private long _unmapped,
        _dropped,
        _fetches,
        _failed,
        _missing,
        _promoted,
        _hedged,
        _retried,
        _late,
        _writeProtected,
        _left,
        _continued;

    /// <summary>Faults that a thread slept on (userfaultfd messages).</summary>
    public long Faults => Volatile.Read(ref _faults);

    /// <summary>The same by thread, where the monitor's userfaultfd tells threads.</summary>
    public ThreadFaults Threads { get; } = new();

    /// <summary>Of these, how many had been answered by what came before them.</summary>
    public long StaleFaults => Volatile.Read(ref _stale);

    /// <summary>Faults that vCPU exits announced (secret-free form).</summary>
    public long Requests => Volatile.Read(ref _requests);

    /// <summary>Pages put in place for a fault, its chunk included.</summary>
    public long DemandPages => Volatile.Read(ref _demand);

    /// <summary>Pages put in place that nobody waited for.</summary>
    public long BackgroundPages => Volatile.Read(ref _background);

    /// <summary>Of both, pages of zeros.</summary>
    public long ZeroPages => Volatile.Read(ref _zero);

    /// <summary>
    /// Of both, pages that were written into the memory's file, to be mapped by UFFDIO_CONTINUE. All others went by
    /// UFFDIO_COPY or UFFDIO_ZEROPAGE.
    /// </summary>
    public long ContinuedPages => Volatile.Read(ref _continued);

    /// <summary>Pages put in place by UFFDIO_COPY or UFFDIO_ZEROPAGE.</summary>
    public long CopiedPages => DemandPages + BackgroundPages - ContinuedPages;

    /// <summary>Pages that the guest gave back.</summary>
    public long RemovedPages => Volatile.Read(ref _removed);

    /// <summary>Pages given back that were touched again, and got zeros.</summary>
    public long RemovedTouched => Volatile.Read(ref _zeroed);

    /// <summary>Pages that somebody else had put in place (EEXIST).</summary>
    public long Eexist => Volatile.Read(ref _eexist);

    /// <summary>Calls that met a changing address space (EAGAIN).</summary>
    public long Eagain => Volatile.Read(ref _eagain);

    /// <summary>Faults kept for later because of that.</summary>
    public long Deferred => Volatile.Read(ref _deferred);

    /// <summary>Pages in ranges that the monitor unmapped or does not watch.</summary>
    public long UnmappedPages => Volatile.Read(ref _unmapped);

    /// <summary>Pages that came from a source when they were not missing any more.</summary>
    public long DroppedPages => Volatile.Read(ref _dropped);

    /// <summary>Requests to page sources.</summary>
    public long Fetches => Volatile.Read(ref _fetches);

    /// <summary>Of these, how many a source ended without their pages.</summary>
    public long FailedFetches => Volatile.Read(ref _failed);

    /// <summary>Pages that were pushed and became wanted before they were asked for.</summary>
    public long PromotedPages => Volatile.Read(ref _promoted);

    /// <summary>Pages asked for a second time, since the first took long.</summary>
    public long HedgedPages => Volatile.Read(ref _hedged);

    /// <summary>Pages asked for again after a failure or a timeout.</summary>
    public long RetriedPages => Volatile.Read(ref _retried);

    /// <summary>Pages that came when another source had sent them.</summary>
    public long LatePages => Volatile.Read(ref _late);

    /// <summary>Write faults on pages that the monitor had write-protected; the protection was lifted.</summary>
    public long WriteProtectedFaults => Volatile.Read(ref _writeProtected);

    /// <summary>
    /// Pages that are not in place and that nobody brings, because nothing is mapped or registered there now.
    /// </summary>
    public long LeftPages => Volatile.Read(ref _left);

    /// <summary>Pages not in place yet, those of <see cref="LeftPages"/> not counted.</summary>
    public long MissingPages => Volatile.Read(ref _missing);

    internal void CountFault(int thread)
    {
        _faults++;
        Threads.Count(thread);
    }

    internal void CountStale() => _stale++;

    internal void CountRequest() => _requests++;

    internal void CountPlaced(ulong pages, bool isDemand, bool isZero)
    {
        if (isDemand)
            _demand += (long)pages;
        else
            _background += (long)pages;
        if (isZero)
            _zero += (long)pages;
    }

    internal void CountContinued(ulong pages) => _continued += (long)pages;

    internal void CountRemoved(ulong pages) => _removed += (long)pages;

    internal void CountRemovedTouched() => _zeroed++;

    internal void CountEexist() => _eexist++;

    internal void CountEagain() => _eagain++;

    internal void CountDeferred() => _deferred++;

    internal void CountUnmapped(ulong pages) => _unmapped += (long)pages;

    internal void CountDropped() => _dropped++;

    internal void CountWriteProtected() => _writeProtected++;

    internal void SetFetches(in FetchCounters fetches, long failed)
    {
        Volatile.Write(ref _fetches, fetches.Requests);
        Volatile.Write(ref _promoted, fetches.Promoted);
        Volatile.Write(ref _hedged, fetches.Hedged);
        Volatile.Write(ref _retried, fetches.Retried);
        Volatile.Write(ref _late, fetches.Late);
        Volatile.Write(ref _failed, failed);
    }

    internal void SetMissing(ulong pages) => Volatile.Write(ref _missing, (long)pages);

    internal void SetLeft(ulong pages) => Volatile.Write(ref _left, (long)pages);

    internal void CountMissing(ulong pages) => Volatile.Write(ref _missing, _missing + (long)pages);

    internal void CountNoLongerMissing(ulong pages) => Volatile.Write(ref _missing, _missing - (long)pages);
}
