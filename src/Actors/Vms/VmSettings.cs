using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The settings of a VM.</summary>
internal sealed record VmSettings
{
    /// <summary>Its name, for topics and messages.</summary>
    public string Name { get; init; } = "vm";

    /// <summary>Architecture, and the properties of it that user space may change.</summary>
    public required MmuPolicy Policy { get; init; }

    /// <summary>How faults reach user space.</summary>
    public FaultMode Mode { get; init; } = FaultMode.Userfault;

    /// <summary>The backing of guest memory.</summary>
    public MemoryKind Memory { get; init; } = MemoryKind.Anonymous;

    /// <summary>Guest memory and its expected content.</summary>
    public required GuestContent Content { get; init; }

    /// <summary>The workload of the vCPUs.</summary>
    public required IWorkload Workload { get; init; }

    /// <summary>The settings of the vCPUs.</summary>
    public VcpuSettings Vcpu { get; init; } = new();

    /// <summary>The clock.</summary>
    public required IGuestTime Time { get; init; }

    /// <summary>The settings of its memslots.</summary>
    public MemslotSettings Memslot { get; init; } = new();

    /// <summary>Are there replicas of the bitmaps that must learn of cleared bits?</summary>
    public bool BroadcastsClears { get; init; }

    /// <summary>Is the listener notified of the pages that are waited for, to record a working set?</summary>
    public bool TellsWanted { get; init; }

    /// <summary>
    /// Called with every memslot when it is created, on the VM actor's thread, for checkers; null for none.
    /// </summary>
    public Action<MemslotPager>? SlotCreated { get; init; }

    /// <summary>
    /// Maximum faults per message from the vCPUs to a memslot; 0 derives it from the number of vCPUs. 1 sends each
    /// fault separately at once: best if a message costs no wake-up, as in a simulation.
    /// </summary>
    public int FaultBatch { get; init; }

    /// <summary>Dispatcher of the vCPUs; null for Akka's default.</summary>
    public string? VcpuDispatcher { get; init; }

    /// <summary>Dispatcher of the memslots and readers; null for Akka's default.</summary>
    public string? MemslotDispatcher { get; init; }

    /// <summary>
    /// Creates the actor of a vCPU that runs elsewhere, under a real KVM; it receives <see cref="VcpuProtocol"/> like
    /// the model's. Null for the model's vCPUs.
    /// </summary>
    public Func<VcpuSeat, Akka.Actor.Props>? OtherVcpus { get; init; }
}
