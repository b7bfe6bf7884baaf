namespace Userfault.Mutants;

/// <summary>What the kernel spends on a fault, and how far a sweep is to be trusted.</summary>
internal static class CapacityMutants
{
    private const string Model = "Capacity/Costs/KernelCostModel.cs";
    private const string Band = "Capacity/Costs/ErrorBand.cs";
    private const string WhatIf = "Capacity/Sweeps/WhatIf.cs";
    private const string Tests = "Capacity.Tests";

    public static IReadOnlyList<Mutant> List { get; } =
    [
        new(
            "readers-take-turns",
            "Several readers of one descriptor do nothing at the same time.",
            Finder.Test(Tests, "CostFitTests.What_is_left_out_is_predicted_by_the_rest"),
            Model,
            "LockedShare * costs.ReaderNs + Parallel(costs, setup) / readers",
            "LockedShare * costs.ReaderNs + Parallel(costs, setup) / (BUG ? 1 : readers)"
        ),
        new(
            "line-never-longer",
            "A line is kept no longer however many vCPUs wait for it.",
            Finder.Test(Tests, "CostFitTests.What_is_left_out_is_predicted_by_the_rest"),
            Model,
            "Math.Pow(vcpus, costs.Growth)",
            "BUG ? 1 : Math.Pow(vcpus, costs.Growth)"
        ),
        new(
            "wakeups-alone",
            "A wakeup costs no more where others wake as well.",
            Finder.Test(Tests, "CostFitTests.What_is_left_out_is_predicted_by_the_rest"),
            Model,
            "setup.Mode == PagingMode.Userfaultfd ? costs.WakeLineNs",
            "!BUG && setup.Mode == PagingMode.Userfaultfd ? costs.WakeLineNs"
        ),
        new(
            "band-beyond-measured",
            "What lies beyond all measured cells is said to lie within the error of the last.",
            Finder.Test(Tests, "ErrorBandTests.A_region_lies_between_measured_cells"),
            Band,
            "public bool IsExtrapolated => Anchors.Count < 2;",
            "public bool IsExtrapolated => Anchors.Count < (BUG ? 1 : 2);"
        ),
        new(
            "network-full-at-the-end",
            "A network that the largest guest does not fill is said never to be full.",
            Finder.Test(Tests, "WhatIfTests.A_network_that_fewer_vCPUs_fill_is_full"),
            WhatIf,
            "var (low, high) = (0, 1);",
            "var (low, high) = (0, BUG ? most : 1);"
        ),
    ];
}
