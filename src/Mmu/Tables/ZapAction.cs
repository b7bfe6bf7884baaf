namespace Userfault.Mmu;

// Removes leaves, and the tables that become empty. A table of 4 KiB leaves that lies within the range is removed with
// one store, however many leaves it holds; larger ones are emptied table by table, so that a batch stays bounded.
internal readonly unsafe struct ZapAction<TFormat> : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        if (TFormat.Classify(entry.Pte, entry.Level) != PteKind.Table)
        {
            if (TFormat.Classify(table.RemoveLeaf(entry), entry.Level) == PteKind.Leaf)
            {
                state.Leaves++;
                state.Flush(entry.Start, entry.End);
            }
            return SweepStep.Next;
        }
        if (entry.Level != PageLevel.Size2M || entry.Start < state.From || entry.End > state.End)
        {
            return SweepStep.Descend;
        }
        state.Leaves += TablePages.InfoOf((ulong*)TFormat.TableOf(entry.Pte))->Used;
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
