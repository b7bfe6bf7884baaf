namespace Userfault.Bench.DataPlane;

/// <summary>What one load came to.</summary>
internal sealed record LoadResult(double PagesPerSecond, double P50Us, double P99Us)
{
    /// <summary>Processor time of the server for one page, in us: what remains comparable on a busy machine.</summary>
    public double ServerUsPerPage { get; init; }

    /// <summary>Processor time of the client for one page, in us.</summary>
    public double ClientUsPerPage { get; init; }
}
