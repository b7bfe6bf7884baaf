using Userfault.Mmu;

namespace Userfault.Actors;

/// <summary>The settings of a vCPU.</summary>
public sealed record VcpuSettings
{
    /// <summary>Accesses per slice, after which other actors get their turn.</summary>
    public int SliceAccesses { get; init; } = 256;

    /// <summary>
    /// How far ahead of the clock accesses may run, in ns: short waits are combined into one of this length, since a
    /// wait costs more than most of them last.
    /// </summary>
    public long RunAheadNs { get; init; } = 10_000;

    /// <summary>The TLB's shape.</summary>
    public TlbConfig Tlb { get; init; } = TlbConfig.Default;
}
