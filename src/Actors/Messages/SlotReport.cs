using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>What a memslot has done so far.</summary>
/// <param name="Id">The slot.</param>
/// <param name="Missing">Pages that are missing.</param>
/// <param name="Waiting">vCPUs and accessors that wait for a page.</param>
/// <param name="Counters">Everything else.</param>
public sealed record SlotReport(SlotId Id, ulong Missing, int Waiting, SlotCounters Counters);
