using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The place of a vCPU in its VM: all that the actor that runs it needs, by the model or by other means.
/// </summary>
/// <param name="Number">Its number, from 0.</param>
/// <param name="Space">The memslots by gfn.</param>
/// <param name="Vm">The VM, which hears of pauses, ends and failures.</param>
/// <param name="Faults">Where the faults of its vCPUs gather.</param>
/// <param name="Gate">Who sends them on: a <see cref="VcpuGateActor"/>.</param>
public sealed record VcpuSeat(int Number, GuestSpace Space, IActorRef Vm, FaultGate Faults, IActorRef Gate)
{
    /// <summary>
    /// The vCPU's access left the guest: its memslot is told, and answers the vCPU's actor with a resume, a skip or a
    /// fail. One fault a vCPU at a time.
    /// </summary>
    public void Report(SlotView slot, in VcpuAccess access)
    {
        if (Faults.Add(slot, new MemslotProtocol.MemoryFault(Number, access), out var full))
            Gate.Tell(VcpuProtocol.SendFaults.Instance, ActorRefs.NoSender);
        else if (full is not null)
            slot.Memslot.Tell(full, ActorRefs.NoSender);
    }
}
