namespace Userfault.Handler;

/// <summary>
/// Faults and requests that could not be served yet, because the address space is changing or memory is short. They are
/// tried again after the events that say how it changed have been read, and then at the pace of a shortage. Each keeps
/// the time since which it waits, however often it is deferred again. One owner.
/// </summary>
/// <param name="counters">Where to count.</param>
internal sealed class DeferredFaults(PagerCounters counters)
{
    private (FaultKey Key, long SinceNs)[] _waiting = new (FaultKey, long)[VmState.MessagesAtOnce];
    private (FaultKey Key, long SinceNs)[] _taken = new (FaultKey, long)[VmState.MessagesAtOnce];
    private int _takenCount;

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>One is to be served later.</summary>
    public void Add(FaultKey key, long nowNs)
    {
        if (IndexOf(_waiting.AsSpan(0, Count), key) >= 0)
            return;
        var taken = IndexOf(_taken.AsSpan(0, _takenCount), key);
        if (taken < 0)
            counters.CountDeferred();
        if (Count == _waiting.Length)
            Array.Resize(ref _waiting, Count * 2);
        _waiting[Count++] = (key, taken < 0 ? nowNs : _taken[taken].SinceNs);
    }

    /// <summary>
    /// Begins to go through all of them: none is left, and <see cref="this"/> still has them. One that is added again
    /// has waited all the time.
    /// </summary>
    /// <returns>How many there were.</returns>
    public int TakeAll()
    {
        (_waiting, _taken) = (_taken, _waiting);
        (_takenCount, Count) = (Count, 0);
        return _takenCount;
    }

    /// <summary>One of those that were taken.</summary>
    public FaultKey this[int index] => _taken[index].Key;

    /// <summary>Those that were taken have been gone through. The one that waits longest, if there is any.</summary>
    public (FaultKey Key, long SinceNs)? EndTaken()
    {
        _takenCount = 0;
        (FaultKey Key, long SinceNs)? oldest = null;
        foreach (var waiting in _waiting.AsSpan(0, Count))
        {
            if (oldest is null || waiting.SinceNs < oldest.Value.SinceNs)
                oldest = waiting;
        }
        return oldest;
    }

    private static int IndexOf(ReadOnlySpan<(FaultKey Key, long SinceNs)> list, FaultKey key)
    {
        for (var i = 0; i < list.Length; i++)
        {
            if (list[i].Key == key)
                return i;
        }
        return -1;
    }
}
