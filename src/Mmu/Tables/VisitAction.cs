namespace Userfault.Mmu;

// Passes the entries to a visitor and changes nothing.
internal struct VisitAction<TFormat, TVisitor>(TVisitor visitor) : ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
    where TVisitor : struct, ITableVisitor
{
    public TVisitor Visitor = visitor;

    public bool IsEnded { get; private set; }

    public SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state)
    {
        // A visit has no budget: the caller's visitor ends it.
        state.Budget = int.MaxValue;
        if (TFormat.Classify(entry.Pte, entry.Level) == PteKind.Table)
        {
            var enters = Visitor.EnterTable(new Gfn(entry.Start), entry.Level, entry.Pte);
            return enters ? SweepStep.Descend : SweepStep.Next;
        }
        var leaf = WalkResult.Of<TFormat>(entry.Pte, entry.Level, new Gfn(entry.Start));
        IsEnded = !Visitor.Leaf(new Gfn(entry.Start), leaf);
        return IsEnded ? SweepStep.Stop : SweepStep.Next;
    }

    public readonly void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state) { }
}
