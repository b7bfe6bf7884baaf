using Akka.Actor;
using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>
/// The place of a vCPU in its VM: what its actor needs, whether the model or a real KVM runs the vCPU.
/// </summary>
/// <param name="Number">Its number, from 0.</param>
/// <param name="Space">The memslots by gfn.</param>
/// <param name="Vm">The VM actor, which receives pauses, ends and failures.</param>
/// <param name="Faults">Collects the faults of the VM's vCPUs.</param>
/// <param name="Gate">The <see cref="VcpuGateActor"/> that sends them to the memslots.</param>
public sealed record VcpuSeat(int Number, GuestSpace Space, IActorRef Vm, FaultGate Faults, IActorRef Gate)
{
    /// <summary>
    /// Reports an access that left the guest to its memslot, which answers the vCPU's actor with a resume, a skip or a
    /// fail. A vCPU has at most one fault outstanding.
    /// </summary>
    public void Report(SlotView slot, in VcpuAccess access)
    {
        if (Faults.Add(slot, new MemslotProtocol.MemoryFault(Number, access), out var full))
            Gate.Tell(VcpuProtocol.SendFaults.Instance, ActorRefs.NoSender);
        else if (full is not null)
            slot.Memslot.Tell(full, ActorRefs.NoSender);
    }
}
