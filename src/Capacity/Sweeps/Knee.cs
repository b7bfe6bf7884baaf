namespace Userfault.Capacity;

/// <summary>
/// Where a curve of paging rate against vCPUs bends for good: the last count of vCPUs into which it rose with a slope
/// of at least one half, both axes logarithmic. From there on twice the vCPUs bring less than 1.41 times the pages.
/// </summary>
/// <param name="Vcpus">The count; the curve's last where it does not bend.</param>
/// <param name="IsBent">Does the curve bend before its end?</param>
/// <param name="Cause">What grew most behind the knee, or was waited for most where there is none.</param>
/// <param name="PagesPerSecond">The rate there.</param>
public sealed record Knee(int Vcpus, bool IsBent, Bottleneck Cause, double PagesPerSecond)
{
    private const double LeastSlope = 0.5;

    /// <summary>
    /// The knee of a curve: points of different vCPUs and nothing else, in ascending order, at least one.
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
