namespace Userfault.Pages;

/// <summary>The path to a page source, as <see cref="LinkModel"/> plays it. All zero: answers at once.</summary>
/// <param name="LatencyNs">From a request's sending to the first byte of its answer on an idle path, in ns.</param>
/// <param name="JitterNs">Added to each latency, uniform in [0, this], in ns.</param>
/// <param name="BitsPerSecond">Bandwidth of answers; 0 is unlimited.</param>
/// <param name="Seed">Seed of the jitter.</param>
public sealed record LinkSettings(long LatencyNs = 0, long JitterNs = 0, long BitsPerSecond = 0, ulong Seed = 1)
{
    /// <summary>Answers at once.</summary>
    public static readonly LinkSettings None = new();

    /// <summary>Does every answer come at once?</summary>
    public bool IsInstant => LatencyNs == 0 && JitterNs == 0 && BitsPerSecond == 0;
}
