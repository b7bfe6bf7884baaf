using Akka.Actor;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>How the actors of one migration run in this process.</summary>
/// <param name="Migration">What it does.</param>
internal sealed record RunSettings(MigrationSettings Migration)
{
    /// <summary>
    /// Busy threads besides the actors': the pump's where sources are pumped, or the data plane's at both ends. A loop
    /// that spins where they want the core makes every page wait for the scheduler.
    /// </summary>
    public int OtherThreads { get; init; }

    /// <summary>Is the order of first touches recorded?</summary>
    public WorkingSetRecording WorkingSet { get; init; }

    /// <summary>Broadcasts cleared bits to other nodes; null where there are none.</summary>
    public Broadcast? Clears { get; init; }

    /// <summary>Makes the actors of vCPUs that run elsewhere, under a real KVM; null: the model's.</summary>
    public Func<VcpuSeat, Props>? OtherVcpus { get; init; }
}
