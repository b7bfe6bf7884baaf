namespace Userfault.Mmu;

// Changes bits of every leaf from a level up.
internal readonly unsafe struct UpdateAction<TFormat, TUpdate>(PageLevel minLevel, bool needsFlush)
    : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
    where TUpdate : struct, ILeafUpdate
{
    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        switch (TFormat.Classify(entry.Pte, entry.Level))
        {
            case PteKind.Table:
                return entry.Level > minLevel ? SweepStep.Descend : SweepStep.Next;
            case PteKind.Leaf when entry.Level >= minLevel && default(TUpdate).Apply(entry.Pte) != entry.Pte:
                SecondStageTable<TFormat>.Update(entry.Pointer, entry.Pte, default(TUpdate));
                state.Leaves++;
                if (needsFlush)
                {
                    state.Flush(entry.Start, entry.End);
                }
                return SweepStep.Next;
            default:
                return SweepStep.Next;
        }
    }

    public void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state) { }
}
