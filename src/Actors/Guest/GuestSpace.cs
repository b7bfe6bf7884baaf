using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The memslots as vCPUs see them. The Vm actor publishes a new list whole whenever one is created, deleted or moved; a
/// vCPU takes the list once a slice and never locks (KVM's <c>kvm_memslots</c> under SRCU).
/// </summary>
public sealed class GuestSpace(TableReaders readers)
{
    private SlotView[] _slots = [];

    /// <summary>Who may be reading the tables: a vCPU registers here once.</summary>
    public TableReaders Readers { get; } = readers;

    /// <summary>The slots of address space 0 by first gfn.</summary>
    public ReadOnlySpan<SlotView> Slots => Volatile.Read(ref _slots);

    /// <summary>The slot of a page, or null.</summary>
    /// <param name="gfn">The page.</param>
    /// <param name="hint">Where the caller found its last slot; any value is allowed. Receives where this one
    /// is.</param>
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

    /// <summary>Publishes a new list. The Vm actor alone.</summary>
    public void Publish(IEnumerable<SlotView> slots) =>
        Volatile.Write(ref _slots, [.. slots.Where(s => s.Id.AddressSpace == 0).OrderBy(s => s.Range.Start)]);
}
