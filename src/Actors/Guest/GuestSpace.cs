using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The memslots as vCPUs see them. The VM actor publishes a complete new list whenever a slot is created, deleted or
/// moved; a vCPU takes the current list for each lookup and never locks (KVM's <c>kvm_memslots</c> under SRCU).
/// </summary>
public sealed class GuestSpace(TableReaders readers)
{
    private SlotView[] _slots = [];

    /// <summary>The readers of the tables: each vCPU registers here once.</summary>
    public TableReaders Readers { get; } = readers;

    /// <summary>The slots of address space 0, in ascending order of their first gfn.</summary>
    public ReadOnlySpan<SlotView> Slots => Volatile.Read(ref _slots);

    /// <summary>The slot of a page, or null.</summary>
    /// <param name="gfn">The page.</param>
    /// <param name="hint">The index of the slot that the caller found last; any value is allowed. Receives the index of
    /// this one.</param>
    public SlotView? Find(Gfn gfn, ref int hint)
    {
        var slots = Volatile.Read(ref _slots);
        if ((uint)hint < (uint)slots.Length && slots[hint].Range.Contains(gfn))
            return slots[hint];
        var (low, high) = (0, slots.Length);
        while (low < high)
        {
            var middle = (int)((uint)(low + high) / 2);
            if (slots[middle].Range.Start <= gfn)
                low = middle + 1;
            else
                high = middle;
        }

        if (low == 0 || !slots[low - 1].Range.Contains(gfn))
            return null;
        hint = low - 1;
        return slots[hint];
    }

    /// <summary>Publishes a new list. Only the VM actor may call it.</summary>
    public void Publish(IEnumerable<SlotView> slots) =>
        Volatile.Write(ref _slots, [.. slots.Where(s => s.Id.AddressSpace == 0).OrderBy(s => s.Range.Start)]);
}
