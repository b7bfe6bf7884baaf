using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>How a vCPU runs.</summary>
public sealed record VcpuSettings
{
    /// <summary>Accesses in one slice, before others get their turn.</summary>
    public int SliceAccesses { get; init; } = 256;

    /// <summary>
    /// How far ahead of the clock accesses may run, in ns: short waits are saved up to one of this length, since a wait
    /// costs more than most of them last.
    /// </summary>
    public long RunAheadNs { get; init; } = 10_000;

    /// <summary>The TLB's shape.</summary>
    public TlbConfig Tlb { get; init; } = TlbConfig.Default;
}
