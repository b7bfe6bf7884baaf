namespace Userfault.Simulation;

/// <summary>What became of a run.</summary>
/// <param name="Plan">The run.</param>
/// <param name="Hash">Over all of its steps: the same plan gives the same hash in any process.</param>
/// <param name="Violation">What went wrong; null where it passed.</param>
/// <param name="Steps">Mailbox runs and timers.</param>
/// <param name="Messages">Messages that actors took.</param>
/// <param name="VirtualNs">Virtual time that it took.</param>
/// <param name="Fetches">Pages that fetchers asked for.</param>
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
    /// <summary>Did nothing go wrong?</summary>
    public bool Passed => Violation is null;
}
