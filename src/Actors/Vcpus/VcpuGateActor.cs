using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// Sits between a VM's vCPUs and its memslots, on the vCPUs' dispatcher: faults leave as one message per memslot, and
/// vCPUs that are resumed together arrive as one message. It has no state of its own: a vCPU whose fault is lost with
/// it reports the fault again when the VM continues.
/// </summary>
internal sealed class VcpuGateActor(FaultGate gate, IReadOnlyList<IActorRef> vcpus) : UntypedActor
{
    /// <summary>A gate.</summary>
    /// <param name="gate">Collects the faults of the vCPUs.</param>
    /// <param name="vcpus">The vCPUs by number; the VM's own list.</param>
    public static Props Props(FaultGate gate, IReadOnlyList<IActorRef> vcpus) =>
        Akka.Actor.Props.Create(() => new VcpuGateActor(gate, vcpus));

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case VcpuProtocol.SendFaults:
                while (gate.TryTake(out var slot, out var faults))
                    slot.Memslot.Tell(faults, ActorRefs.NoSender);
                break;
            case VcpuProtocol.ResumeAll resume:
                foreach (var vcpu in resume.Vcpus.Span)
                    vcpus[vcpu].Tell(VcpuProtocol.Resume.Instance, ActorRefs.NoSender);
                break;
            default:
                Unhandled(message);
                break;
        }
    }
}
