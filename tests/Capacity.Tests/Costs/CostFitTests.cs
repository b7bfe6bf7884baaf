using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class CostFitTests
{
    private static readonly IReadOnlyList<MeasuredCell> Cells = MeasurementTable.Training().Cells();

    [Fact]
    public void Fitting_again_finds_the_costs_that_are_written_down()
    {
        Assert.Equal(30, Cells.Count);
        var fit = CostFit.To(Cells);
        foreach (
            var property in typeof(KernelCosts).GetProperties().Where(static p => p.PropertyType == typeof(double))
        )
        {
            foreach (var architecture in Enum.GetValues<Architecture>())
            {
                var (found, written) = (
                    (double)property.GetValue(fit.Of(architecture))!,
                    (double)property.GetValue(KernelCosts.Of(architecture))!
                );
                Assert.InRange(found / written, 0.985, 1.015);
            }
        }
    }

    [Fact]
    public void The_written_costs_explain_the_measured_rates()
    {
        var errors = Cells.Select(c => CrossValidation.Error(c, 1e9 / KernelCostModel.FaultNs(c.Setup))).ToList();
        Assert.InRange(CrossValidation.Median(errors), 0, 0.02);
        Assert.InRange(errors.Max(Math.Abs), 0, 0.08);
    }

    [Fact]
    public void Rates_made_by_known_costs_are_explained_by_what_is_fitted()
    {
        // Other hosts than the measured ones: the fit must follow the data, not the priors.
        var made = KernelCosts.X86 with
        {
            FaultNs = 3000,
            MapLineNs = 400,
            ExitNs = 2000,
            Growth = 0.9,
        };
        var cells = Cells.Select(c => c with { RatePerVcpu = KernelCostModel.RatePerVcpu(made, c.Setup) }).ToList();
        var fit = CostFit.To(cells);
        Assert.InRange(
            CrossValidation.Median(cells.Select(c => CrossValidation.Error(c, fit.Predict(c.Setup)))),
            0,
            0.02
        );
        // Two counts of vCPUs say little of the shape between them: growth moves most of the way, not all.
        Assert.InRange(fit.X86.Growth, 0.79, 0.97);
        Assert.InRange(fit.X86.FaultNs, 2600, 3400);
    }

    [Fact]
    public void Left_out_curves_are_foretold_by_the_others() =>
        Assert.InRange(CrossValidation.Median(CrossValidation.LeaveOut(Cells, static c => c.Curve)), 0, 0.1);

    [Theory]
    [InlineData(new double[0], 0)]
    [InlineData(new[] { -0.3 }, 0.3)]
    [InlineData(new[] { -0.3, 0.1, 0.2, 9 }, 0.25)]
    public void The_median_is_of_sizes(double[] errors, double expected) =>
        Assert.Equal(expected, CrossValidation.Median(errors), 9);
}
