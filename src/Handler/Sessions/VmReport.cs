using Userfault.Pages;

namespace Userfault.Handler;

/// <summary>One VM as a handler tells of it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="MonitorPid">Its monitor's process id; 0 where another process has seen it connect.</param>
/// <param name="Pages">Pages of its regions.</param>
/// <param name="SecretFree">The form with guest_memfd and bitmap?</param>
/// <param name="End">How it ended; None while it is served.</param>
/// <param name="Reason">Why it failed.</param>
/// <param name="Counters">What was done.</param>
/// <param name="Latency">Waits of its faults.</param>
/// <param name="AllocatedBytes">Managed bytes that serving allocated; 0 while it is served.</param>
/// <param name="ElapsedNs">Since its handshake.</param>
/// <param name="CompleteNs">From its handshake to the last page in place; -1 where it did not come to that.</param>
public sealed record VmReport(
    int Id,
    int MonitorPid,
    ulong Pages,
    bool SecretFree,
    PagerEnd End,
    string? Reason,
    PagerCounters Counters,
    LatencyHistogram Latency,
    long AllocatedBytes,
    long ElapsedNs,
    long CompleteNs
);
