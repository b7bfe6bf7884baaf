namespace Userfault.Capacity;

/// <summary>
/// Where a vCPU's time went, in ns per touch: the parts add up to the mean time from one new page to the next.
/// </summary>
/// <param name="GuestNs">Computing.</param>
/// <param name="KernelNs">The kernel's work on the fault, as if the vCPU were alone.</param>
/// <param name="LineNs">Cache lines that other vCPUs write as well.</param>
/// <param name="DescriptorNs">Waiting for the single userfaultfd, and being served there.</param>
/// <param name="LatencyNs">The network's latency, and waiting for a page that was already in flight.</param>
/// <param name="FetcherNs">Waiting for a fetcher, and its service.</param>
/// <param name="NetworkNs">Waiting for the destination's line, and transfer on it.</param>
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
    /// <summary>The longest part.</summary>
    public Bottleneck Longest => LongestOf(GuestNs, KernelNs, LineNs, DescriptorNs, LatencyNs, FetcherNs, NetworkNs);

    /// <summary>
    /// The part that grew most since <paramref name="before"/>: the cause of a bend between two points.
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

    /// <summary>The times divided by a count.</summary>
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
