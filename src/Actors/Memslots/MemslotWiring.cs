using Akka.Actor;

namespace Userfault.Actors;

/// <summary>The actors that a memslot talks to, and the settings of its shell.</summary>
/// <param name="Vm">The VM, which is notified of completed changes and of lost sources.</param>
/// <param name="VmName">The VM's name, for topics.</param>
/// <param name="Vcpus">The vCPUs by number.</param>
/// <param name="Gate">Receives <see cref="VcpuProtocol.ResumeAll"/> for them.</param>
/// <param name="Fetchers">The fetcher pool.</param>
/// <param name="Listener">Is notified of pages put in place (<see cref="VmProtocol.PagesPlaced"/>): the
/// migration.</param>
/// <param name="Settings">The slot's settings.</param>
/// <param name="BroadcastsClears">Are there replicas of the bitmap that must learn of cleared bits?</param>
/// <param name="TellsWanted">Is the listener notified of the pages that are waited for, to record a working
/// set?</param>
internal sealed record MemslotWiring(
    IActorRef Vm,
    string VmName,
    IReadOnlyList<IActorRef> Vcpus,
    IActorRef Gate,
    IActorRef Fetchers,
    IActorRef Listener,
    MemslotSettings Settings,
    bool BroadcastsClears = false,
    bool TellsWanted = false
);
