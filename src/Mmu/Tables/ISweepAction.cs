namespace Userfault.Mmu;

// The effect of a batch on the entries of a range. A struct, so that each sweep is compiled for its action.
internal interface ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    // Called for every entry that is not empty, in the order of gfns, tables before their contents.
    SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state);

    // Called for a table after the part of it that lies in the range is done.
    void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state);
}
