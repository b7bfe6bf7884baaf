namespace Userfault.Capacity;

/// <summary>
/// Where a vCPU's time went, in ns a touch: the parts add up to the mean time from one new page to the next.
/// </summary>
/// <param name="GuestNs">Computing.</param>
/// <param name="KernelNs">The kernel's work on the fault, as if the vCPU were alone.</param>
/// <param name="LineNs">Cache lines that other vCPUs write as well.</param>
/// <param name="DescriptorNs">Waiting for the one userfaultfd, and being served there.</param>
/// <param name="LatencyNs">The network's latency, and waiting for a page that was on its way already.</param>
/// <param name="FetcherNs">Waiting for a fetcher's turn, and its service.</param>
/// <param name="NetworkNs">Waiting for the destination's line, and the time on it.</param>
public readonly record struct SweepTimes(
    double GuestNs,
    double KernelNs,
    double LineNs,
    double DescriptorNs,
    double LatencyNs,
    double FetcherNs,
    double NetworkNs
)
{
    /// <summary>The part that is longest.</summary>
    public Bottleneck Longest => LongestOf(GuestNs, KernelNs, LineNs, DescriptorNs, LatencyNs, FetcherNs, NetworkNs);

    /// <summary>
    /// The part that grew most since <paramref name="before"/>: what bends a curve between two points.
    /// </summary>
    public Bottleneck GrownMostSince(SweepTimes before) =>
        LongestOf(
            GuestNs - before.GuestNs,
            KernelNs - before.KernelNs,
            LineNs - before.LineNs,
            DescriptorNs - before.DescriptorNs,
            LatencyNs - before.LatencyNs,
            FetcherNs - before.FetcherNs,
            NetworkNs - before.NetworkNs
        );

    /// <summary>The same times, each divided.</summary>
    public SweepTimes Over(double count) =>
        new(
            GuestNs / count,
            KernelNs / count,
            LineNs / count,
            DescriptorNs / count,
            LatencyNs / count,
            FetcherNs / count,
            NetworkNs / count
        );

    // In the order of the enumeration.
    private static Bottleneck LongestOf(params ReadOnlySpan<double> parts)
    {
        var longest = 0;
        for (var i = 1; i < parts.Length; i++)
        {
            if (parts[i] > parts[longest])
                longest = i;
        }

        return (Bottleneck)longest;
    }
}
