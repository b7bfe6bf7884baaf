namespace Userfault.Mmu;

// Splits leaves above the target, level by level. With break-before-make, one batch breaks leaves and a later one
// makes.
internal unsafe struct SplitAction<TFormat>(PageLevel target) : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    private BreakOrMake _phase;

    public readonly BreakOrMake Phase => _phase;

    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        if (entry.Level <= target)
        {
            return SweepStep.Next;
        }
        switch (TFormat.Classify(entry.Pte, entry.Level))
        {
            case PteKind.Table:
                return Below(entry);
            case PteKind.Leaf when TFormat.NeedsBreakBeforeMake:
                if (!_phase.MayBreak)
                {
                    return SweepStep.Stop;
                }
                _phase.NoteBroken(entry.Start);
                table.BreakLeaf(entry);
                state.Flush(entry.Start, entry.End);
                return SweepStep.Next;
            case PteKind.Broken when !_phase.TryMake():
                return SweepStep.Next;
            default:
                table.SplitEntry(entry);
                state.Leaves++;
                return Below(entry);
        }
    }

    public readonly void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state) { }

    private readonly SweepStep Below(in TableEntry entry) =>
        entry.Level - 1 > target ? SweepStep.Descend : SweepStep.Next;
}
