namespace Userfault.Mmu;

// Removes tables below which one leaf could stand, the largest first; a later fault makes the leaf. Other tables and
// all leaves are kept.
internal readonly unsafe struct DropAction<TFormat>(IMappingLevels levels) : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        if (TFormat.Classify(entry.Pte, entry.Level) != PteKind.Table)
        {
            return SweepStep.Next;
        }
        if (
            entry.Level > table.Geometry.LargestLeaf
            || entry.Start < state.From
            || entry.End > state.End
            || levels.MaxMappingLevel(new Gfn(entry.Start)) < entry.Level
        )
        {
            // Nothing below a table of 4 KiB leaves could be larger.
            return entry.Level > PageLevel.Size2M ? SweepStep.Descend : SweepStep.Next;
        }
        state.Leaves++;
        state.Flush(entry.Start, entry.End);
        table.RemoveTable(entry);
        return SweepStep.Next;
    }

    public void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        if (TablePages.InfoOf((ulong*)TFormat.TableOf(entry.Pte))->Used == 0)
        {
            table.RemoveTable(entry);
        }
    }
}
