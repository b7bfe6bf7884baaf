namespace Userfault.Mmu;

/// <summary>
/// A second-stage table (EPT or arm64 stage 2): gfn to pfn, with the entries of the architecture, bit for bit, in
/// native memory. An entry of an upper level holds the native address of the next table.
/// </summary>
/// <remarks>
/// <para>
/// One writer at a time: the memslot that owns the table. Any number of readers, who never lock: <see cref="Walk"/>,
/// <see cref="TryAccess"/> and <see cref="Visit"/> may be called from any thread between
/// <see cref="TableReader.Enter"/> and <see cref="TableReader.Exit"/>; they see each entry as it was or as it is, never
/// anything else.
/// </para>
/// <para>No operation flushes a TLB: each returns the frames to flush, and the owner flushes them.</para>
/// <para>No operation but <see cref="Dump"/> allocates managed memory.</para>
/// </remarks>
public abstract class SecondStageTable : IDisposable
{
    private protected SecondStageTable(TableGeometry geometry, TableReaders readers)
    {
        Geometry = geometry;
        Readers = readers;
    }

    /// <summary>Shape of the table.</summary>
    public TableGeometry Geometry { get; }

    /// <summary>The registered readers. Register before the first walk from a thread other than the owner's.</summary>
    public TableReaders Readers { get; }

    /// <summary>Does replacing a translation take two steps, with a flush between them (arm64)?</summary>
    public abstract bool NeedsBreakBeforeMake { get; }

    /// <summary>Native address of the root, in bytes: what EPTP or VTTBR_EL2 would hold.</summary>
    public abstract ulong RootAddress { get; }

    /// <summary>The contents of the table. Exact for the owner; other threads see a snapshot.</summary>
    public abstract TableCounters Counters { get; }

    /// <summary>Creates an empty table.</summary>
    /// <param name="architecture">The format.</param>
    /// <param name="addressBits">
    /// Width of a guest physical address in bits: x86 32 to 57 (up to 48: four levels, beyond: five), arm64 32 to 48.
    /// </param>
    /// <param name="options">Readers and diagnostics; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The architecture has no table of that width.</exception>
    public static SecondStageTable Create(Architecture architecture, int addressBits, TableOptions? options = null) =>
        architecture switch
        {
            Architecture.X86 => new SecondStageTable<EptFormat>(addressBits, options),
            Architecture.Arm64 => new SecondStageTable<Stage2Format>(addressBits, options),
            _ => throw new ArgumentOutOfRangeException(nameof(architecture), architecture, "no such architecture"),
        };

    /// <summary>Looks up <paramref name="gfn"/> without changing anything.</summary>
    public abstract WalkResult Walk(Gfn gfn);

    /// <summary>
    /// Acts like hardware on a TLB miss: walks, checks the permission, and sets the accessed bit and, for a write, the
    /// dirty bit, atomically. For vCPU threads.
    /// </summary>
    /// <param name="gfn">The page.</param>
    /// <param name="access">The access of the vCPU; one or more flags.</param>
    /// <param name="result">The leaf after the access, or the entry that denied it.</param>
    /// <returns>false if the access leaves the guest (EPT violation, stage-2 abort).</returns>
    public abstract bool TryAccess(Gfn gfn, Access access, out WalkResult result);

    /// <summary>Walks a range with a visitor. Empty parts are skipped at the level at which they are empty.</summary>
    public abstract void Visit<TVisitor>(GfnRange range, ref TVisitor visitor)
        where TVisitor : struct, ITableVisitor;

    /// <summary>
    /// Maps <paramref name="gfn"/> with a leaf of <paramref name="level"/>, creating tables as needed. Never removes a
    /// permission. Over a table, the leaf replaces the table; below a larger leaf, x86 splits that leaf, and arm64
    /// removes it as a whole (<c>kvm_pgtable_stage2_map</c>). If the architecture requires break-before-make, the
    /// result is <see cref="TableChange.Broken"/>: flush, and call again.
    /// </summary>
    /// <param name="gfn">First frame, aligned for the level.</param>
    /// <param name="pfn">First host frame, aligned for the level.</param>
    /// <param name="access">Permissions; must hold <see cref="Access.Read"/>.</param>
    /// <param name="level">Size of the leaf.</param>
    /// <exception cref="ArgumentException">Unaligned, beyond the address width, or a level without leaves.</exception>
    public abstract ChangeResult Map(Gfn gfn, Pfn pfn, Access access, PageLevel level);

    /// <summary>
    /// Removes the leaf that maps <paramref name="gfn"/> as a whole, and the tables that become empty.
    /// </summary>
    /// <returns>The last state of the leaf; if it was present, all its frames must be flushed.</returns>
    public abstract WalkResult Unmap(Gfn gfn);

    /// <summary>
    /// Removes every leaf that shares a frame with the cursor's range (a larger leaf as a whole, as in the kernel), and
    /// the tables that become empty. Dirty bits are lost with their leaves: harvest them first.
    /// </summary>
    /// <param name="cursor">Where the last batch ended; done when <see cref="RangeCursor.IsDone"/>.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1; a table of 4 KiB leaves that is removed as
    /// a whole counts as one.</param>
    public abstract BatchResult Zap(ref RangeCursor cursor, int budget);

    /// <summary>
    /// Replaces the large leaf that maps <paramref name="gfn"/> by 512 leaves of the next lower level.
    /// </summary>
    /// <returns>
    /// Replaced (no flush: the translations are the same), Broken (arm64: flush, call again), or None if no larger leaf
    /// maps the page.
    /// </returns>
    public abstract ChangeResult SplitLeaf(Gfn gfn);

    /// <summary>
    /// Splits every leaf of the range that is larger than <paramref name="target"/> (eager page splitting). On arm64 a
    /// batch either breaks or makes: while the result needs a flush, flush and call again; the cursor keeps track.
    /// </summary>
    /// <param name="cursor">Where the last batch ended.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1.</param>
    /// <param name="target">Size of the leaves that remain.</param>
    public abstract BatchResult Split(ref RangeCursor cursor, int budget, PageLevel target = PageLevel.Size4K);

    /// <summary>
    /// Replaces the table at <paramref name="level"/> over <paramref name="gfn"/> by one leaf, if every leaf below it
    /// continues the same run of frames with the same permissions. Absent pages become mapped: the caller guarantees
    /// that the host page is that large. The new leaf is write-protected if the first of the leaves is.
    /// </summary>
    /// <returns>
    /// Replaced with the frames to flush, Broken (arm64: flush, call again), or None if it is not possible.
    /// </returns>
    public abstract ChangeResult Collapse(Gfn gfn, PageLevel level);

    /// <summary>
    /// Collapses every table of the range that allows it (hugepage recovery, KVM's
    /// <c>kvm_tdp_mmu_recover_huge_pages</c>).
    /// </summary>
    /// <param name="cursor">Where the last batch ended. Tables that extend beyond the range are kept.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1; a candidate is finished even if that
    /// exceeds the budget.</param>
    /// <param name="levels">Limits the size of each leaf.</param>
    public abstract BatchResult Collapse(ref RangeCursor cursor, int budget, IMappingLevels levels);

    /// <summary>
    /// Removes every table of the range below which the levels permit one leaf, with all its leaves: a later fault maps
    /// the large leaf (KVM's <c>kvm_tdp_mmu_zap_collapsible_sptes</c>, which preceded the recovery in place).
    /// </summary>
    /// <param name="cursor">Where the last batch ended. Tables that extend beyond the range are kept.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1.</param>
    /// <param name="levels">Limits the size of each leaf.</param>
    public abstract BatchResult DropTables(ref RangeCursor cursor, int budget, IMappingLevels levels);

    /// <summary>Removes the write permission from every leaf of the range; larger leaves lose it as a whole.</summary>
    /// <param name="cursor">Where the last batch ended.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1.</param>
    /// <param name="minLevel">Leaves below this level do not change.</param>
    public abstract BatchResult WriteProtect(ref RangeCursor cursor, int budget, PageLevel minLevel = PageLevel.Size4K);

    /// <summary>
    /// Removes the write permission from the leaves of the pages in a mask
    /// (<c>kvm_arch_mmu_enable_log_dirty_pt_masked</c>).
    /// </summary>
    /// <param name="start">The page of bit 0; any alignment.</param>
    /// <param name="mask">The pages among these 64.</param>
    /// <param name="maxLevel">Leaves above this level do not change.</param>
    public abstract BatchResult WriteProtect(Gfn start, ulong mask, PageLevel maxLevel = PageLevel.Size1G);

    /// <summary>
    /// Restores the write permission of a write-protected leaf (fast page fault). No flush.
    /// </summary>
    /// <returns>false if the page has no leaf or its leaf was never writable.</returns>
    public abstract bool MakeWritable(Gfn gfn);

    /// <summary>Clears the dirty bits of the pages in a mask and returns those that were set.</summary>
    /// <param name="start">The page of bit 0; any alignment.</param>
    /// <param name="mask">
    /// The pages among these 64. A larger leaf that is dirty counts for all its pages in the mask and stays dirty,
    /// since the mask does not cover the rest: split it first, as the kernel does when it logs.
    /// </param>
    /// <returns>The pages of the mask that were dirty: they must be flushed.</returns>
    public abstract ulong TestAndClearDirty(Gfn start, ulong mask);

    /// <summary>Clears the dirty bit of every leaf of the range (<c>kvm_mmu_slot_leaf_clear_dirty</c>).</summary>
    /// <param name="cursor">Where the last batch ended.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1.</param>
    public abstract BatchResult ClearDirty(ref RangeCursor cursor, int budget);

    /// <summary>
    /// Clears the accessed bit of every leaf of the range (<c>kvm_age_gfn</c>). No flush, as in the kernel.
    /// </summary>
    /// <param name="cursor">Where the last batch ended.</param>
    /// <param name="budget">Maximum number of entries to visit, at least 1.</param>
    /// <returns>Number of leaves that were accessed.</returns>
    public abstract BatchResult ClearAccessed(ref RangeCursor cursor, int budget);

    /// <summary>
    /// Frees the retired pages that no reader can reach any more. The table does this on its own; call it to release
    /// the memory early.
    /// </summary>
    /// <returns>Number of pages that still wait for a reader.</returns>
    public abstract long Reclaim();

    /// <summary>Prints the table in the format of the kernel's ptdump.</summary>
    public abstract void Dump(TextWriter writer);

    /// <summary>
    /// Frees everything at once. No reader may be able to reach the table any more
    /// (<see cref="TableReaders.HasPassed"/>).
    /// </summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees native memory.</summary>
    /// <param name="disposing">Always true: there is no finalizer, since only the owner knows when readers are
    /// gone.</param>
    protected abstract void Dispose(bool disposing);
}
