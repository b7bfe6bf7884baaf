using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>The place of a vCPU in its VM: all that an actor needs that runs it by other means than the model.</summary>
/// <param name="Number">Its number, from 0.</param>
/// <param name="Space">The memslots by gfn.</param>
/// <param name="Vm">The VM, which hears of pauses, ends and failures.</param>
public sealed record VcpuSeat(int Number, GuestSpace Space, IActorRef Vm)
{
    /// <summary>
    /// The vCPU's access left the guest: its memslot is told, and answers the vCPU's actor with a resume, a skip or a fail.
    /// One fault a vCPU at a time.
    /// </summary>
    public void Report(SlotView slot, in VcpuAccess access) =>
        slot.Memslot.Tell(new MemslotProtocol.MemoryFault(Number, access), ActorRefs.NoSender);
}
