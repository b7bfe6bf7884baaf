namespace Userfault.Mmu;

// The next step of a sweep after an entry.
internal enum SweepStep
{
    Next,

    // Descends into the table that the entry now leads to.
    Descend,

    // Ends the batch before this entry.
    Stop,
}
