namespace Userfault.Mmu;

/// <summary>
/// Everything that one memslot owns: its flags and range, its second-stage table, its dirty bitmap, its invalidation
/// sequence number. Single writer: the owner (an actor, or <see cref="Vm"/>) makes every call except those that state
/// otherwise. A core knows nothing of other cores: the owner passes on what concerns all slots.
/// </summary>
/// <remarks>
/// No method flushes a TLB. A call that makes cached translations stale returns the frames; the owner shoots them down.
/// Long operations are started by one call and executed by <see cref="Work"/> in bounded batches. Between the batches
/// faults proceed, under the new flags.
/// </remarks>
public sealed partial class MemslotCore : IMappingLevels, IDisposable
{
    private readonly IHostMemory _host;
    private readonly MemslotWork _work = new();
    private Memslot _slot;
    private int _invalidations;
    private GfnRange _invalidating;

    /// <summary>The core of a slot that is being created: nothing is mapped yet.</summary>
    /// <param name="slot">The slot.</param>
    /// <param name="policy">The VM's policy.</param>
    /// <param name="host">The host's memory.</param>
    /// <param name="table">Options of the table; null for the defaults.</param>
    public MemslotCore(Memslot slot, MmuPolicy policy, IHostMemory host, TableOptions? table = null)
    {
        ArgumentNullException.ThrowIfNull(slot);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(host);
        _slot = slot;
        _host = host;
        Policy = policy;
        Table = SecondStageTable.Create(policy.Architecture, policy.PhysicalAddressBits, table);
        UpdateDirtyBitmap(slot);
    }

    /// <summary>The current slot. Any thread.</summary>
    public Memslot Slot => Volatile.Read(ref _slot);

    /// <summary>The VM's policy. The owner replaces it when user space enables a capability that changes it.</summary>
    public MmuPolicy Policy { get; set; }

    /// <summary>The VM's private pages. The owner replaces them, and then invalidates the range that changed.</summary>
    public MemoryAttributes Attributes { get; set; } = MemoryAttributes.AllShared;

    /// <summary>The slot's table. Any thread may read it as hardware does; only the owner writes.</summary>
    public SecondStageTable Table { get; }

    /// <summary>
    /// Number of completed invalidations (<c>mmu_invalidate_seq</c>): a fault that sees it change starts again.
    /// </summary>
    public ulong InvalidationSequence { get; private set; }

    /// <summary>
    /// Frames that a break-before-make removed and that some TLB may still hold; empty if there are none. Until
    /// <see cref="CompleteFlush"/>, faults on them return <see cref="FaultKind.FlushFirst"/>.
    /// </summary>
    public GfnRange UnflushedBreak { get; private set; }

    /// <summary>Has a change left work to do? Then only faults and <see cref="Work"/> are allowed.</summary>
    public bool HasWork => !_work.IsEmpty;

    /// <summary>Runs the fault path for an access that the hardware's walk did not permit.</summary>
    /// <remarks>
    /// On <see cref="FaultOutcome.IsUserfaultExit"/>: fetch the page, put its content in place, clear the bit with
    /// release order, run the fault again to map the page, resume the vCPU. Allocates nothing.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">The gfn is not in the slot.</exception>
    public FaultOutcome Fault(in VcpuAccess access) => FaultPath.Run(this, _host, access);

    /// <summary>The userfault check (<c>kvm_do_userfault</c>): reads the page's bit with acquire.</summary>
    /// <remarks>A bitmap at address 0 is not read: the kernel warns once and maps the page.</remarks>
    public UserfaultState CheckUserfault(Gfn gfn)
    {
        var slot = _slot;
        if (!slot.IsUserfault || slot.UserfaultBitmap == default)
            return UserfaultState.Clear;
        var index = slot.IndexOf(gfn);
        if (!_host.TryReadBitmapWord(slot.UserfaultBitmap.Plus(index / 64 * sizeof(ulong)), out var word))
            return UserfaultState.Unreadable;
        return (word >> (int)(index % 64) & 1) != 0 ? UserfaultState.Set : UserfaultState.Clear;
    }

    /// <summary>Reports that every vCPU has done the flush that <see cref="UnflushedBreak"/> waits for.</summary>
    public void CompleteFlush() => UnflushedBreak = default;

    /// <summary>
    /// Changes the flags in place (<see cref="MemslotChange.FlagsOnly"/>): the new ones apply to faults at once, and
    /// <see cref="Work"/> changes the table accordingly.
    /// </summary>
    /// <param name="slot">The slot with its new flags and bitmap address; everything else is unchanged.</param>
    /// <exception cref="InvalidOperationException">An earlier change has work left, or more than flags
    /// differ.</exception>
    public void ChangeFlags(Memslot slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        var old = _slot;
        if (HasWork || slot.Range != old.Range || slot.Id != old.Id)
            throw new InvalidOperationException($"cannot change the flags of {old} to {slot}");
        var changed = old.Flags ^ slot.Flags;
        SetSlot(slot);
        if ((changed & MemslotFlags.LogDirtyPages) != 0)
            ChangeLogging(slot);
        if ((changed & MemslotFlags.Userfault) == 0)
            return;
        if (slot.IsUserfault)
            BeginZap();
        else if (!slot.LogsDirtyPages)
            BeginRecovery(slot);
    }

    /// <summary>
    /// Marks the slot as being deleted or moved and starts to zap it. Faults are handled as the policy says until
    /// <see cref="Activate"/>.
    /// </summary>
    public void Invalidate()
    {
        SetSlot(_slot with { IsInvalid = true });
        _work.Clear();
        BeginZap();
    }

    /// <summary>
    /// Moves an invalidated slot to its new place (<see cref="MemslotChange.Move"/>). The dirty bitmap is kept.
    /// </summary>
    /// <exception cref="InvalidOperationException">The slot is not invalid, or not zapped yet.</exception>
    public void Activate(Memslot slot)
    {
        ArgumentNullException.ThrowIfNull(slot);
        if (!_slot.IsInvalid || HasWork)
            throw new InvalidOperationException($"{_slot} cannot become {slot}");
        SetSlot(slot);
    }

    /// <summary>Starts to remove every mapping of the slot (<c>kvm_arch_flush_shadow_memslot</c>).</summary>
    public void BeginZap() => _work.Add(MemslotWork.Operation.Zap, _slot.Range);

    /// <summary>
    /// Starts an invalidation by the host (<c>kvm_mmu_invalidate_begin</c>): until <see cref="EndInvalidation"/> no
    /// fault maps a page of the range, and <see cref="Work"/> removes the existing mappings.
    /// </summary>
    /// <param name="range">The frames; clipped to the slot.</param>
    public void BeginInvalidation(GfnRange range)
    {
        range = range.Intersect(_slot.Range);
        _invalidations++;
        _invalidating = _invalidating.Cover(range);
        if (!range.IsEmpty)
            _work.Add(MemslotWork.Operation.Zap, range);
    }

    /// <summary>Ends an invalidation; the sequence number changes.</summary>
    /// <exception cref="InvalidOperationException">No invalidation is in progress.</exception>
    public void EndInvalidation()
    {
        if (_invalidations == 0)
            throw new InvalidOperationException($"no invalidation of {_slot} is in progress");
        InvalidationSequence++;
        if (--_invalidations == 0)
            _invalidating = default;
    }

    /// <summary>Executes one bounded batch of the work that changes left behind.</summary>
    /// <param name="budget">Maximum number of table entries to visit, at least 1.</param>
    /// <returns>The frames to flush, and whether work is left.</returns>
    /// <exception cref="InvalidOperationException">The flush of a break-before-make was not completed.</exception>
    public MemslotStep Work(int budget)
    {
        if (!UnflushedBreak.IsEmpty)
            throw new InvalidOperationException($"{UnflushedBreak} must be flushed first");
        var step = _work.Step(Table, this, budget, out var breaks);
        if (breaks)
            UnflushedBreak = step.Flush;
        return step;
    }

    /// <summary>
    /// The largest leaf that host page, slot and attributes permit for a gfn; for hugepage recovery.
    /// </summary>
    public PageLevel MaxMappingLevel(Gfn gfn)
    {
        var slot = _slot;
        if (!slot.Range.Contains(gfn))
            return PageLevel.Size4K;
        var isPrivate = Attributes.IsPrivate(gfn);
        var status = FaultPath.GetPage(slot, _host, gfn, isPrivate, write: false, out var page);
        return status == HostPageStatus.Present
            ? FaultPath.LevelOf(this, slot, gfn, page, isPrivate)
            : PageLevel.Size4K;
    }

    /// <summary>Frees the table and the bitmap. No reader may be able to reach them any more.</summary>
    public void Dispose()
    {
        Table.Dispose();
        _dirtyMemory?.Dispose();
    }

    /// <summary>
    /// Is an invalidation in progress that <paramref name="gfn"/> may be part of (<c>mmu_invalidate_retry_gfn</c>)?
    /// </summary>
    internal bool IsInvalidating(Gfn gfn) => _invalidations != 0 && _invalidating.Contains(gfn);

    // A second break before the flush of the first: neither may be made before both are flushed.
    internal void Break(GfnRange range) => UnflushedBreak = UnflushedBreak.Cover(range);

    /// <summary>Neither flag requires small leaves any more: starts to make large ones possible again.</summary>
    private void BeginRecovery(Memslot slot)
    {
        if (!Policy.RecoversHugePagesOnDisable)
            return;
        var operation = Policy.DropsTablesToRecover
            ? MemslotWork.Operation.DropToRecover
            : MemslotWork.Operation.Recover;
        _work.Add(operation, slot.Range);
    }

    private void SetSlot(Memslot slot)
    {
        UpdateDirtyBitmap(slot);
        Volatile.Write(ref _slot, slot);
        // A fault in progress may have read the old flags: it must not map by them.
        InvalidationSequence++;
    }
}
