using Akka.Actor;

namespace Userfault.Actors;

/// <summary>Whom a memslot talks to.</summary>
/// <param name="Vm">The VM, which is told when changes are complete and when trouble comes.</param>
/// <param name="VmName">The VM's name, for topics.</param>
/// <param name="Vcpus">The vCPUs by number.</param>
/// <param name="Gate">Takes <see cref="VcpuProtocol.ResumeAll"/> for them.</param>
/// <param name="Fetchers">The fetcher pool.</param>
/// <param name="Listener">Who is told of pages in place (<see cref="VmProtocol.PagesPlaced"/>); the migration.</param>
/// <param name="Settings">How it works.</param>
/// <param name="TellsWanted">Does the listener want to hear which pages are waited for? To record a working
/// set.</param>
/// <param name="BroadcastsClears">Are there replicas of the bitmap to tell of cleared bits?</param>
public sealed record MemslotWiring(
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
