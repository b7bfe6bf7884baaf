namespace Userfault.Capacity;

/// <summary>
/// Events by time; those of one instant in the order of scheduling. A binary heap in one array.
/// </summary>
internal sealed class EventHeap
{
    private Entry[] _entries = new Entry[1024];
    private ulong _scheduled;

    public int Count { get; private set; }

    public void Add(long timeNs, SweepEvent kind, int id)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, 2 * Count);
        var entry = new Entry(timeNs, _scheduled++, kind, id);
        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) >> 1;
            if (!entry.IsBefore(_entries[parent]))
                break;
            _entries[at] = _entries[parent];
            at = parent;
        }

        _entries[at] = entry;
    }

    public (long TimeNs, SweepEvent Kind, int Id) Take()
    {
        var first = _entries[0];
        var last = _entries[--Count];
        var at = 0;
        for (var child = 1; child < Count; child = 2 * at + 1)
        {
            if (child + 1 < Count && _entries[child + 1].IsBefore(_entries[child]))
                child++;
            if (!_entries[child].IsBefore(last))
                break;
            _entries[at] = _entries[child];
            at = child;
        }

        _entries[at] = last;
        return (first.TimeNs, first.Kind, first.Id);
    }

    private readonly record struct Entry(long TimeNs, ulong Order, SweepEvent Kind, int Id)
    {
        public bool IsBefore(in Entry other) =>
            TimeNs < other.TimeNs || (TimeNs == other.TimeNs && Order < other.Order);
    }
}
