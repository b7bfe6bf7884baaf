namespace Userfault.Paging;

/// <summary>When a request that takes long is asked of a second replica as well.</summary>
public sealed record HedgeSettings
{
    /// <summary>The clock, in ns; any zero. Called on any thread.</summary>
    public required Func<long> NowNs { get; init; }

    /// <summary>No hedge before this, in ns, however low the p95 latency is.</summary>
    public long FloorNs { get; init; } = 1_000_000;

    /// <summary>Most hedged pages, in percent of all pages asked for.</summary>
    public int Percent { get; init; } = 10;
}
