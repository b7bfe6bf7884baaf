using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>The work of a vCPU since its start.</summary>
/// <param name="Vcpu">Its number.</param>
/// <param name="Accesses">Accesses made.</param>
/// <param name="Reads">Of these, reads and instruction fetches, each checked against the expected content.</param>
/// <param name="Writes">Of these, writes.</param>
/// <param name="WrongReads">Reads that returned other content.</param>
/// <param name="Faults">Accesses that left the guest.</param>
/// <param name="Mmio">Exits to a device, or aborts injected into the guest, for accesses outside memory.</param>
/// <param name="StallNs">Time spent waiting for faults, in ns.</param>
/// <param name="FinishedNs">When its stream ended, in ns from the start; -1 if it has not.</param>
/// <param name="Latency">Per fault, from leaving the guest to entering it again.</param>
/// <param name="Tlb">The counters of its TLB.</param>
public sealed record VcpuReport(
    int Vcpu,
    long Accesses,
    long Reads,
    long Writes,
    long WrongReads,
    long Faults,
    long Mmio,
    long StallNs,
    long FinishedNs,
    LatencyHistogram Latency,
    TlbStats Tlb
);
