using Akka.Actor;
using Userfault.Actors;
using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>A simulated VM that is migrated.</summary>
public sealed record SimVmSettings
{
    /// <summary>What the source has.</summary>
    public required IMemoryImage Image { get; init; }

    /// <summary>What the vCPUs do.</summary>
    public required IWorkload Workload { get; init; }

    /// <summary>What the migration does.</summary>
    public MigrationSettings Migration { get; init; } = new() { ProgressNs = 0 };

    /// <summary>The guest's memory regions; null is the image's own.</summary>
    public IReadOnlyList<GfnRange>? Regions { get; init; }

    /// <summary>A working set to push first.</summary>
    public WorkingSet? WorkingSet { get; init; }

    /// <summary>Is the order of first touches recorded?</summary>
    public bool RecordsWorkingSet { get; init; }

    /// <summary>Are there replicas of the bitmaps on other nodes?</summary>
    public bool BroadcastsClears { get; init; }

    /// <summary>The VM's name, for topics.</summary>
    public string Name { get; init; } = "vm";

    /// <summary>What stands between the actors and guest memory, such as a checker; null is nothing.</summary>
    public Func<IGuestMemory, IGuestMemory>? WrapMemory { get; init; }

    /// <summary>Who is told of batches of cleared bits; null is nobody.</summary>
    public IActorRef? Broadcast { get; init; }
}
