namespace Userfault.Simulation;

/// <summary>The outcome of a run.</summary>
/// <param name="Plan">The plan.</param>
/// <param name="Hash">Over all steps: the same plan gives the same hash in any process.</param>
/// <param name="Violation">The first violation; null if the run passed.</param>
/// <param name="Steps">Mailbox runs and timers.</param>
/// <param name="Messages">Messages that actors processed.</param>
/// <param name="VirtualNs">Virtual time at the end.</param>
/// <param name="Fetches">Pages requested by fetchers.</param>
/// <param name="Faults">Faults of vCPUs.</param>
/// <param name="Log">The last lines that actors logged.</param>
public sealed record SwarmOutcome(
    SwarmPlan Plan,
    ulong Hash,
    Violation? Violation,
    long Steps,
    long Messages,
    long VirtualNs,
    long Fetches,
    long Faults,
    IReadOnlyList<string> Log
)
{
    /// <summary>Is there no violation?</summary>
    public bool Passed => Violation is null;
}
