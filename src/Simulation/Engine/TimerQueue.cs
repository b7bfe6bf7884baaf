namespace Userfault.Simulation;

/// <summary>
/// Timers by due time and then in the order in which they were set. The heap moves small entries; the timers themselves
/// stay in a separate array.
/// </summary>
internal sealed class TimerQueue
{
    private readonly PriorityQueue<int, Due> _heap = new();
    private readonly Stack<int> _free = new();
    private SimTimer[] _timers = new SimTimer[64];
    private int _used;
    private long _set;

    public void Add(long dueNs, in SimTimer timer)
    {
        if (!_free.TryPop(out var slot))
        {
            slot = _used++;
            if (slot == _timers.Length)
                Array.Resize(ref _timers, slot * 2);
        }

        _timers[slot] = timer;
        _heap.Enqueue(slot, new Due(dueNs, _set++));
    }

    /// <summary>Takes the next timer that is due by a time.</summary>
    public bool TryTake(long untilNs, out long dueNs, out SimTimer timer)
    {
        if (!_heap.TryPeek(out var slot, out var due) || due.Ns > untilNs)
        {
            (dueNs, timer) = (0, default);
            return false;
        }

        _heap.Dequeue();
        (dueNs, timer) = (due.Ns, _timers[slot]);
        _timers[slot] = default;
        _free.Push(slot);
        return true;
    }

    private readonly record struct Due(long Ns, long Order) : IComparable<Due>
    {
        public int CompareTo(Due other) => Ns != other.Ns ? Ns.CompareTo(other.Ns) : Order.CompareTo(other.Order);
    }
}
