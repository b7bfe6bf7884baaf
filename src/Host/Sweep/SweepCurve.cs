using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>Results that differ in vCPUs alone, in ascending order, and where they bend.</summary>
internal sealed record SweepCurve(IReadOnlyList<SweepResult> Results, Knee Knee)
{
    public SweepPoint Point => Results[0].Point;

    /// <summary>Results in the plan's order as curves.</summary>
    public static IReadOnlyList<SweepCurve> Of(IEnumerable<SweepResult> results) =>
        [
            .. from result in results
            group result by Key(result.Point) into curve
            select new SweepCurve([.. curve], Knee.Of([.. curve])),
        ];

    // What follows from the vCPUs is no difference.
    private static SweepPoint Key(SweepPoint point) =>
        point with
        {
            Vcpus = 0,
            PagesPerVcpu = 0,
            TouchesPerVcpu = 0,
            Readers = 0,
        };
}
