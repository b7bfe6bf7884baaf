namespace Userfault.Fetch;

/// <summary>
/// Request ids. Engines that use the same connections share one instance, because a connection tells requests apart by
/// id alone. Thread-safe.
/// </summary>
public sealed class RequestNumbers
{
    private long _last;

    /// <summary>The last id given out; 0 before the first.</summary>
    public ulong Last => (ulong)Volatile.Read(ref _last);

    /// <summary>An id that no other request has.</summary>
    public ulong Next() => (ulong)Interlocked.Increment(ref _last);
}
