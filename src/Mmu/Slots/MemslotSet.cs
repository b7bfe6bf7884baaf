namespace Userfault.Mmu;

/// <summary>
/// The memslots of one address space. One writer; readers take <see cref="Current"/> and never lock. Each change
/// creates a new generation and publishes it as a whole.
/// </summary>
public sealed class MemslotSet
{
    private readonly Dictionary<ushort, Memslot> _byId = [];
    private MemslotGeneration _current = new(0, []);

    /// <summary>The newest generation. Any thread.</summary>
    public MemslotGeneration Current => Volatile.Read(ref _current);

    /// <summary>Number of slots.</summary>
    public int Count => _byId.Count;

    /// <summary>The slot with this id, or null. Only the writer may call it.</summary>
    public Memslot? FindById(ushort id) => _byId.GetValueOrDefault(id);

    /// <summary>Adds a slot, or replaces the slot with its id (a move, or new flags).</summary>
    /// <exception cref="InvalidOperationException">It overlaps another slot, which the checks should have
    /// found.</exception>
    public void Install(Memslot slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        if (_current.Overlaps(slot.Range, slot.Id))
            throw new InvalidOperationException($"{slot} overlaps another slot");
        var old = FindById(slot.Id.Id);
        _byId[slot.Id.Id] = slot;
        Volatile.Write(ref _current, _current.With(old, slot));
    }

    /// <summary>
    /// Marks a slot as being deleted or moved, so that faults on it wait (<c>kvm_invalidate_memslot</c>).
    /// </summary>
    /// <returns>The marked slot.</returns>
    /// <exception cref="KeyNotFoundException">There is no such slot.</exception>
    public Memslot Invalidate(ushort id)
    {
        var invalid = _byId[id] with { IsInvalid = true };
        Install(invalid);
        return invalid;
    }

    /// <summary>Removes a slot.</summary>
    /// <exception cref="KeyNotFoundException">There is no such slot.</exception>
    public void Remove(ushort id)
    {
        var old = _byId[id];
        _byId.Remove(id);
        Volatile.Write(ref _current, _current.With(old, null));
    }
}
