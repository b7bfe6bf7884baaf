namespace Userfault.Actors;

/// <summary>The state of a migration at one moment.</summary>
/// <param name="State">The state.</param>
/// <param name="Reason">Why it is paused or failed; otherwise null.</param>
/// <param name="ElapsedNs">Time since the guest was started, in ns.</param>
/// <param name="PagesPresent">Pages in place.</param>
/// <param name="Pages">Pages of the guest.</param>
/// <param name="PagesPerSecond">Rate since the last progress.</param>
/// <param name="Faults">vCPU faults that reached user space since the start.</param>
/// <param name="WaitingVcpus">vCPUs that wait for a page now.</param>
/// <param name="FinishedVcpus">vCPUs whose stream has ended.</param>
/// <param name="P50Ns">Median fault latency since the start, in ns.</param>
/// <param name="P99Ns">99th percentile of the fault latency, in ns.</param>
/// <param name="Strip">The bitmap as a picture: the share of pages present in each equal part of the guest, 0 to
/// 255.</param>
public sealed record MigrationProgress(
    MigrationState State,
    string? Reason,
    long ElapsedNs,
    ulong PagesPresent,
    ulong Pages,
    double PagesPerSecond,
    long Faults,
    int WaitingVcpus,
    int FinishedVcpus,
    long P50Ns,
    long P99Ns,
    byte[] Strip
);
