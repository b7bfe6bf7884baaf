namespace Userfault.Mmu;

// What a batch does to the entries of a range. A struct, so that each sweep is compiled for its action.
internal interface ISweepAction<TFormat>
    where TFormat : struct, IPteFormat
{
    // Meets every entry that is not empty, in the order of gfns, tables before what they hold.
    SweepStep OnEntry(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state);

    // Meets a table again when all of it that lies in the range is done.
    void OnLeave(SecondStageTable<TFormat> table, in TableEntry entry, ref SweepState state);
}
