namespace Userfault.Mmu.Tests;

/// <summary>Options of a demand paging run, and the events that must come of it.</summary>
public sealed record DemandPagingCase(
    Architecture Architecture,
    int Vcpus,
    bool Overlaps,
    bool UsesUserfaultfd,
    int Exits,
    int Sleeps
);
