namespace Userfault.Pages;

/// <summary>A generated workload. The same settings make the same accesses on every machine.</summary>
/// <param name="Kind">The order of touches.</param>
/// <param name="Vcpus">How many vCPUs, 1 to 65536.</param>
/// <param name="Pages">Pages of guest memory; at least one a vCPU unless <see cref="Overlapping"/>.</param>
public sealed record PatternSettings(PatternKind Kind, int Vcpus, ulong Pages)
{
    /// <summary>Does every vCPU roam over all pages? Otherwise each has a contiguous share of its own.</summary>
    public bool Overlapping { get; init; }

    /// <summary>Share of accesses that write, 0 to 1; the rest read.</summary>
    public double WriteShare { get; init; } = 0.3;

    /// <summary>Accesses a vCPU; 0 is as many as its share has pages.</summary>
    public ulong AccessesPerVcpu { get; init; }

    /// <summary>Pages from one touch to the next with <see cref="PatternKind.Stride"/>; at least 1.</summary>
    public ulong StridePages { get; init; } = 8;

    /// <summary>Exponent of <see cref="PatternKind.Zipf"/>: over 0 and up to 4; 0.99 is usual.</summary>
    public double ZipfExponent { get; init; } = 0.99;

    /// <summary>Instructions that a vCPU executes from one access to the next.</summary>
    public long InstructionsPerAccess { get; init; } = 1000;

    /// <summary>Instructions a second that a vCPU executes; 0 is "order only".</summary>
    public long InstructionsPerSecond { get; init; } = 1_000_000_000;

    /// <summary>Chooses pages and kinds.</summary>
    public ulong Seed { get; init; } = 1;
}
