namespace Userfault.Handler;

/// <summary>
/// Addresses of faults that met a changing address space: they are served once the events that say how it changed have
/// been read. One owner.
/// </summary>
/// <param name="counters">Where to count.</param>
internal sealed class DeferredFaults(PagerCounters counters)
{
    private ulong[] _addresses = new ulong[VmState.MessagesAtOnce];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>A fault is to be served later.</summary>
    public void Add(ulong address)
    {
        counters.CountDeferred();
        if (Count == _addresses.Length)
            Array.Resize(ref _addresses, Count * 2);
        _addresses[Count++] = address;
    }

    /// <summary>Begins to go through all of them: none is left, and <see cref="this"/> still has them.</summary>
    /// <returns>How many there were.</returns>
    public int TakeAll()
    {
        var count = Count;
        Count = 0;
        return count;
    }

    /// <summary>One of those that were taken.</summary>
    public ulong this[int index] => _addresses[index];

    /// <summary>It is still not time to serve the one at <paramref name="index"/>.</summary>
    // In the same array: what is written back lies before what is read.
    public void Keep(int index) => _addresses[Count++] = _addresses[index];
}
