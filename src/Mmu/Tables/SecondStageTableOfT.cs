namespace Userfault.Mmu;

/// <summary>The table of one format. Call it through this type where the format is known: the walk is inlined then.</summary>
/// <typeparam name="TFormat">The format.</typeparam>
public sealed class SecondStageTable<TFormat> : SecondStageTable
    where TFormat : struct, IPteFormat
{
    /// <summary>Makes an empty table.</summary>
    /// <param name="addressBits">Width of a guest physical address, in bits.</param>
    /// <param name="options">Readers and diagnostics; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException">The format has no table of that width.</exception>
    public SecondStageTable(int addressBits, TableOptions? options = null)
        : base(TFormat.GeometryFor(addressBits), options?.Readers ?? new TableReaders())
    {
    }

    /// <inheritdoc/>
    public override bool NeedsBreakBeforeMake => TFormat.NeedsBreakBeforeMake;

    /// <inheritdoc/>
    public override TableCounters Counters => throw new NotImplementedException();

    /// <inheritdoc/>
    public override WalkResult Walk(Gfn gfn) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override bool TryAccess(Gfn gfn, Access access, out WalkResult result) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override void Visit<TVisitor>(GfnRange range, ref TVisitor visitor) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override ChangeResult Map(Gfn gfn, Pfn pfn, Access access, PageLevel level) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override WalkResult Unmap(Gfn gfn) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult Zap(ref RangeCursor cursor, int budget) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override ChangeResult SplitLeaf(Gfn gfn) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult Split(ref RangeCursor cursor, int budget, PageLevel target = PageLevel.Size4K) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public override ChangeResult Collapse(Gfn gfn, PageLevel level) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult Collapse(ref RangeCursor cursor, int budget, IMappingLevels levels) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult WriteProtect(ref RangeCursor cursor, int budget, PageLevel minLevel = PageLevel.Size4K) =>
        throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult WriteProtect(Gfn start, ulong mask) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override bool MakeWritable(Gfn gfn) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override ulong TestAndClearDirty(Gfn start, ulong mask) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult ClearDirty(ref RangeCursor cursor, int budget) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override BatchResult ClearAccessed(ref RangeCursor cursor, int budget) => throw new NotImplementedException();

    /// <inheritdoc/>
    public override long Reclaim() => throw new NotImplementedException();

    /// <inheritdoc/>
    public override void Dump(TextWriter writer) => throw new NotImplementedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) => throw new NotImplementedException();
}
