namespace Userfault.Mmu;

/// <summary>
/// The slots of one address space at one moment, by gfn (<c>struct kvm_memslots</c>). Immutable: readers take a
/// generation once and never lock.
/// </summary>
public sealed class MemslotGeneration
{
    // By first gfn. Ranges never overlap, so the order of their ends is the same.
    private readonly Memslot[] _slots;

    internal MemslotGeneration(ulong number, Memslot[] slots)
    {
        Number = number;
        _slots = slots;
    }

    /// <summary>Counts the changes of the address space; grows by one with each.</summary>
    public ulong Number { get; }

    /// <summary>All slots, by first gfn.</summary>
    public ReadOnlySpan<Memslot> Slots => _slots;

    /// <summary>The slot that backs <paramref name="gfn"/>, or null. O(log n).</summary>
    public Memslot? Find(Gfn gfn)
    {
        var hint = 0;
        return Find(gfn, ref hint);
    }

    /// <summary>
    /// The slot that backs <paramref name="gfn"/>, or null. The slot found last time (<c>last_used_slot</c>) is tried
    /// first, since a vCPU mostly stays within one.
    /// </summary>
    /// <param name="gfn">The frame.</param>
    /// <param name="hint">Where the caller found its last slot; any value is allowed. Receives where this one is.</param>
    public Memslot? Find(Gfn gfn, ref int hint)
    {
        var slots = _slots;
        if ((uint)hint < (uint)slots.Length && slots[hint].Range.Contains(gfn))
            return slots[hint];
        var index = IndexOfLastStartingAtOrBefore(gfn);
        if (index < 0 || !slots[index].Range.Contains(gfn))
            return null;
        hint = index;
        return slots[index];
    }

    /// <summary>Does a slot other than <paramref name="except"/> share a frame with the range?</summary>
    public bool Overlaps(GfnRange range, SlotId except)
    {
        if (range.IsEmpty)
            return false;
        var last = range.Start.Plus(range.Count - 1);
        for (var i = IndexOfLastStartingAtOrBefore(last); i >= 0; i--)
        {
            if (_slots[i].Id == except)
                continue;
            // Every slot further down ends before this one.
            return _slots[i].Range.Overlaps(range);
        }

        return false;
    }

    /// <summary>A copy without slot <paramref name="removed"/> and with <paramref name="added"/>, one generation on.</summary>
    internal MemslotGeneration With(Memslot? removed, Memslot? added)
    {
        var slots = new Memslot[_slots.Length - (removed is null ? 0 : 1) + (added is null ? 0 : 1)];
        var from = 0;
        for (var to = 0; to < slots.Length; to++)
        {
            if (from < _slots.Length && ReferenceEquals(_slots[from], removed))
                from++;
            if (added is not null && (from == _slots.Length || added.Range.Start < _slots[from].Range.Start))
            {
                slots[to] = added;
                added = null;
            }
            else
            {
                slots[to] = _slots[from++];
            }
        }

        return new MemslotGeneration(Number + 1, slots);
    }

    private int IndexOfLastStartingAtOrBefore(Gfn gfn)
    {
        var low = 0;
        var high = _slots.Length;
        while (low < high)
        {
            var middle = (int)((uint)(low + high) / 2);
            if (_slots[middle].Range.Start <= gfn)
                low = middle + 1;
            else
                high = middle;
        }

        return low - 1;
    }
}
