namespace Userfault.Fetch;

/// <summary>
/// Numbers for requests. Engines that ask the same connections share one, since a connection tells requests apart by their
/// numbers alone. From any thread.
/// </summary>
public sealed class RequestNumbers
{
    private long _last;

    /// <summary>The last number given out; 0 before the first.</summary>
    public ulong Last => (ulong)Volatile.Read(ref _last);

    /// <summary>A number that no other request has.</summary>
    public ulong Next() => (ulong)Interlocked.Increment(ref _last);
}
