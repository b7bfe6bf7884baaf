namespace Userfault.Mmu;

// What a sweep does after an entry.
internal enum SweepStep
{
    Next,

    // Into the table that the entry leads to now.
    Descend,

    // Ends the batch before this entry.
    Stop,
}
