using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>What a VM is made of.</summary>
public sealed record VmSettings
{
    /// <summary>Its name, for topics and messages.</summary>
    public string Name { get; init; } = "vm";

    /// <summary>Architecture and what user space may change of it.</summary>
    public required MmuPolicy Policy { get; init; }

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; } = FaultMode.Userfault;

    /// <summary>What backs guest memory.</summary>
    public MemoryKind Memory { get; init; } = MemoryKind.Anonymous;

    /// <summary>Guest memory and what it must become.</summary>
    public required GuestContent Content { get; init; }

    /// <summary>What the vCPUs do.</summary>
    public required IWorkload Workload { get; init; }

    /// <summary>How vCPUs run.</summary>
    public VcpuSettings Vcpu { get; init; } = new();

    /// <summary>The clock.</summary>
    public required IGuestTime Time { get; init; }

    /// <summary>How its memslots work.</summary>
    public MemslotSettings Memslot { get; init; } = new();

    /// <summary>Are there replicas of the bitmaps to tell of cleared bits?</summary>
    public bool BroadcastsClears { get; init; }

    /// <summary>Does the listener hear which pages are waited for? To record a working set.</summary>
    public bool TellsWanted { get; init; }

    /// <summary>Sees every memslot when it is created, in the VM's own thread; for checkers. Null is nobody.</summary>
    public Action<MemslotPager>? SlotCreated { get; init; }

    /// <summary>
    /// Most faults of one message from the vCPUs to a memslot; 0 is by the number of vCPUs. 1 sends each by itself at
    /// once: best where a message costs no wake-up, as in a simulation.
    /// </summary>
    public int FaultBatch { get; init; }

    /// <summary>Dispatcher of the vCPUs; null is Akka's default.</summary>
    public string? VcpuDispatcher { get; init; }

    /// <summary>Dispatcher of the memslots and readers; null is Akka's default.</summary>
    public string? MemslotDispatcher { get; init; }

    /// <summary>
    /// What makes the actor of a vCPU that runs elsewhere, under a real KVM; it receives <see cref="VcpuProtocol"/>
    /// like the model's. Null: the model's vCPUs.
    /// </summary>
    public Func<VcpuSeat, Akka.Actor.Props>? OtherVcpus { get; init; }
}
