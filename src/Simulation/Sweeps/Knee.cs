namespace Userfault.Simulation;

/// <summary>
/// Where a curve of paging rate against vCPUs bends: the last count of vCPUs up to which twice the vCPUs brought at least half
/// of the growth that twice as many should (a slope of one half, both axes logarithmic).
/// </summary>
/// <param name="Vcpus">The count; the curve's last where it does not bend.</param>
/// <param name="IsBent">Does the curve bend before its end?</param>
/// <param name="Cause">What grew most behind the knee, or was waited for most where there is none.</param>
/// <param name="PagesPerSecond">The rate there.</param>
public sealed record Knee(int Vcpus, bool IsBent, Bottleneck Cause, double PagesPerSecond)
{
    private const double LeastSlope = 0.5;

    /// <summary>The knee of a curve: points of different vCPUs and nothing else, in ascending order, at least one.</summary>
    public static Knee Of(IReadOnlyList<SweepResult> curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        for (var i = 1; i < curve.Count; i++)
        {
            var (before, here) = (curve[i - 1], curve[i]);
            var slope = Math.Log(here.PagesPerSecond / before.PagesPerSecond) / Math.Log((double)here.Point.Vcpus / before.Point.Vcpus);
            if (slope < LeastSlope)
                return new Knee(before.Point.Vcpus, true, curve[^1].Times.GrownMostSince(before.Times), before.PagesPerSecond);
        }

        return new Knee(curve[^1].Point.Vcpus, false, curve[^1].Times.Longest, curve[^1].PagesPerSecond);
    }
}
