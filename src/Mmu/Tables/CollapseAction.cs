namespace Userfault.Mmu;

// Collapses tables to leaves as large as the host permits, the largest first. With break-before-make, a batch breaks
// tables and a later one makes the leaves.
internal struct CollapseAction<TFormat>(IMappingLevels levels) : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    private BreakOrMake _phase;

    public readonly BreakOrMake Phase => _phase;

    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        switch (TFormat.Classify(entry.Pte, entry.Level))
        {
            case PteKind.Table:
                return OnTable(table, entry, ref state);
            case PteKind.Broken when _phase.TryMake():
                table.MakeBroken(entry);
                return SweepStep.Next;
            default:
                return SweepStep.Next;
        }
    }

    public readonly void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state) { }

    private SweepStep OnTable(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        if (
            entry.Level > table.Geometry.LargestLeaf
            || entry.Start < state.From
            || entry.End > state.End
            || levels.MaxMappingLevel(new Gfn(entry.Start)) < entry.Level
        )
        {
            return Below(entry);
        }
        if (!_phase.MayBreak)
        {
            return SweepStep.Stop;
        }
        if (!table.TryCollapseEntry(entry))
        {
            return Below(entry);
        }
        if (TFormat.NeedsBreakBeforeMake)
        {
            _phase.NoteBroken(entry.Start);
        }
        state.Leaves++;
        state.Flush(entry.Start, entry.End);
        return SweepStep.Next;
    }

    // A table of 4 KiB leaves has nothing below it that could collapse.
    private static SweepStep Below(in TableEntry entry) =>
        entry.Level > PageLevel.Size2M ? SweepStep.Descend : SweepStep.Next;
}
