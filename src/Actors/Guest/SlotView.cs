using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// A memslot as a vCPU needs it: its range, the table to walk, and the actor that receives its faults.
/// </summary>
/// <param name="Id">Address space and id.</param>
/// <param name="Range">Its guest frames.</param>
/// <param name="Core">The memslot's core; other threads than its actor's use only the members that allow any
/// thread.</param>
/// <param name="Memslot">The actor that owns it.</param>
public sealed record SlotView(SlotId Id, GfnRange Range, MemslotCore Core, IActorRef Memslot);
