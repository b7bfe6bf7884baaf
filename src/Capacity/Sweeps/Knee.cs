namespace Userfault.Capacity;

/// <summary>
/// Where a curve of paging rate against vCPUs bends for good: the last number of vCPUs up to which it rose with a slope
/// of at least one half, with both axes logarithmic. Beyond it, doubling the vCPUs yields less than 1.41 times the
/// pages.
/// </summary>
/// <param name="Vcpus">The number of vCPUs; the curve's last if it does not bend.</param>
/// <param name="IsBent">Does the curve bend before its end?</param>
/// <param name="Cause">What grew most beyond the knee, or took the longest if there is no knee.</param>
/// <param name="PagesPerSecond">The rate at the knee.</param>
public sealed record Knee(int Vcpus, bool IsBent, Bottleneck Cause, double PagesPerSecond)
{
    private const double LeastSlope = 0.5;

    /// <summary>
    /// The knee of a curve: points that differ only in vCPUs, in ascending order, at least one.
    /// </summary>
    public static Knee Of(IReadOnlyList<SweepResult> curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        var at = curve.Count - 1;
        while (at > 0 && Slope(curve[at - 1], curve[at]) < LeastSlope)
            at--;
        if (at < curve.Count - 1)
        {
            return new Knee(
                curve[at].Point.Vcpus,
                true,
                curve[^1].Times.GrownMostSince(curve[at].Times),
                curve[at].PagesPerSecond
            );
        }

        return new Knee(curve[^1].Point.Vcpus, false, curve[^1].Times.Longest, curve[^1].PagesPerSecond);
    }

    private static double Slope(SweepResult before, SweepResult here) =>
        Math.Log(here.PagesPerSecond / before.PagesPerSecond) / Math.Log((double)here.Point.Vcpus / before.Point.Vcpus);
}
