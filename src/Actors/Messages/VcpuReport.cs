using Userfault.Mmu;
using Userfault.Pages;

namespace Userfault.Actors;

/// <summary>What a vCPU has done so far.</summary>
/// <param name="Vcpu">Its number.</param>
/// <param name="Accesses">Accesses made.</param>
/// <param name="Reads">Of these, reads and fetches, each checked against what the page must hold.</param>
/// <param name="Writes">Of these, writes.</param>
/// <param name="WrongReads">Reads that saw something else.</param>
/// <param name="Faults">Accesses that left the guest.</param>
/// <param name="Mmio">Exits to a device, or aborts injected into the guest: no memory is there.</param>
/// <param name="StallNs">Time spent waiting for faults, in ns.</param>
/// <param name="FinishedNs">When its stream ended, in ns from the start; -1 where it has not.</param>
/// <param name="Latency">From leaving the guest to entering it again, a fault.</param>
/// <param name="Tlb">What its TLB did.</param>
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
