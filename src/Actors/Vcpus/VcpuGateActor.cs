using Akka.Actor;

namespace Userfault.Actors;

/// <summary>
/// Stands between a VM's vCPUs and its memslots, on the vCPUs' dispatcher: faults leave as one message a memslot, and
/// vCPUs that run again together come as one message. It holds nothing: a vCPU whose fault is lost with it reports once
/// more when the VM goes on.
/// </summary>
public sealed class VcpuGateActor(FaultGate gate, IReadOnlyList<IActorRef> vcpus) : UntypedActor
{
    /// <summary>A gate.</summary>
    /// <param name="gate">Where the vCPUs put their faults.</param>
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
