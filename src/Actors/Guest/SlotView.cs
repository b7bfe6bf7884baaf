using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>What a vCPU needs of a memslot: where it lies, its table to walk, and whom to tell of a fault.</summary>
/// <param name="Id">Address space and id.</param>
/// <param name="Range">Its guest frames.</param>
/// <param name="Core">The memslot's core; others than its actor may only do what it allows any thread.</param>
/// <param name="Memslot">The actor that owns it.</param>
public sealed record SlotView(SlotId Id, GfnRange Range, MemslotCore Core, IActorRef Memslot);
