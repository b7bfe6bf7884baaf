using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>The state and the work of a memslot.</summary>
/// <param name="Id">The slot.</param>
/// <param name="Missing">Pages that are missing.</param>
/// <param name="Waiting">vCPUs and accessors that wait for a page.</param>
/// <param name="Counters">All other counters.</param>
internal sealed record SlotReport(SlotId Id, ulong Missing, int Waiting, SlotCounters Counters);
