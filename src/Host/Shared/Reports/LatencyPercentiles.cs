using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>The percentiles of a latency as reports show them, in microseconds.</summary>
internal sealed record LatencyPercentiles(double P50, double P90, double P99, double P999, double Max)
{
    /// <summary>The percentiles of a histogram.</summary>
    public static LatencyPercentiles Of(LatencyHistogram latency) =>
        new(
            latency.PercentileNs(50) / 1e3,
            latency.PercentileNs(90) / 1e3,
            latency.PercentileNs(99) / 1e3,
            latency.PercentileNs(99.9) / 1e3,
            latency.MaxNs / 1e3
        );
}
