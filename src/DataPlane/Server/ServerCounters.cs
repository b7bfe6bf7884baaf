namespace Userfault.DataPlane;

/// <summary>What a server has sent and refused, over all connections. Read from any thread.</summary>
public sealed class ServerCounters
{
    private long _pages;
    private long _zeroPages;
    private long _duplicatePages;
    private long _cancelled;
    private long _accepted;
    private long _refused;

    /// <summary>Pages answered in any form.</summary>
    public long Pages => Volatile.Read(ref _pages);

    /// <summary>Of <see cref="Pages"/>, those sent as a zero marker.</summary>
    public long ZeroPages => Volatile.Read(ref _zeroPages);

    /// <summary>Of <see cref="Pages"/>, those sent as a duplicate marker.</summary>
    public long DuplicatePages => Volatile.Read(ref _duplicatePages);

    /// <summary>Requests that ended by cancellation before all their pages were sent.</summary>
    public long CancelledRequests => Volatile.Read(ref _cancelled);

    /// <summary>Connections accepted.</summary>
    public long Accepted => Volatile.Read(ref _accepted);

    /// <summary>Connections refused, at once or later.</summary>
    public long Refused => Volatile.Read(ref _refused);

    internal void CountPages(long pages, long zeroPages, long duplicatePages)
    {
        Interlocked.Add(ref _pages, pages);
        Interlocked.Add(ref _zeroPages, zeroPages);
        Interlocked.Add(ref _duplicatePages, duplicatePages);
    }

    internal void CountCancelled() => Interlocked.Increment(ref _cancelled);

    internal void CountAccepted() => Interlocked.Increment(ref _accepted);

    internal void CountRefused() => Interlocked.Increment(ref _refused);
}
