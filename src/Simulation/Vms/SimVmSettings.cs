using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>The settings of a simulated VM under migration.</summary>
public sealed record SimVmSettings
{
    /// <summary>The content at the source.</summary>
    public required IMemoryImage Image { get; init; }

    /// <summary>The workload of the vCPUs.</summary>
    public required IWorkload Workload { get; init; }

    /// <summary>The settings of the migration.</summary>
    public MigrationSettings Migration { get; init; } = new() { ProgressNs = 0 };

    /// <summary>The guest's memory regions; null for those of the image.</summary>
    public IReadOnlyList<GfnRange>? Regions { get; init; }

    /// <summary>A working set to push first.</summary>
    public WorkingSet? WorkingSet { get; init; }

    /// <summary>Is the order of first touches recorded?</summary>
    public bool RecordsWorkingSet { get; init; }

    /// <summary>Are there replicas of the bitmaps on other nodes?</summary>
    public bool BroadcastsClears { get; init; }

    /// <summary>The VM's name, for topics.</summary>
    public string Name { get; init; } = "vm";

    /// <summary>Wraps guest memory, such as in a checker; null for nothing.</summary>
    public Func<IGuestMemory, IGuestMemory>? WrapMemory { get; init; }

    /// <summary>Receives batches of cleared bits; null for no receiver.</summary>
    public IActorRef? Broadcast { get; init; }
}
