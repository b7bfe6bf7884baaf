using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class CostFitTests
{
    private static readonly IReadOnlyList<MeasuredCell> Cells = MeasurementTable.Training().Cells();

    [Fact]
    public void Fitting_again_finds_the_costs_that_are_written_down()
    {
        Assert.Equal(36, Cells.Count);
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
                Assert.InRange(found, 0.985 * written, 1.015 * written);
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
        KernelCosts Made(Architecture architecture) =>
            KernelCosts.Of(architecture) with
            {
                FaultNs = 3000,
                MapLineNs = 400,
                ExitNs = 2000,
                Growth = 0.3,
            };
        var cells = Cells
            .Select(c => c with { RatePerVcpu = KernelCostModel.RatePerVcpu(Made(c.Setup.Architecture), c.Setup) })
            .ToList();
        var fit = CostFit.To(cells);
        Assert.InRange(
            CrossValidation.Median(cells.Select(c => CrossValidation.Error(c, fit.Predict(c.Setup)))),
            0,
            0.02
        );
        // Three counts of vCPUs show the growth; with two it could also be a longer line.
        Assert.InRange(fit.Arm64.Growth, 0.25, 0.35);
        Assert.InRange(fit.X86.FaultNs, 2600, 3400);
    }

    public static TheoryData<string, Func<MeasuredCell, object>> Groups() =>
        new()
        {
            { "cell", static c => c },
            { "curve", static c => c.Curve },
            { "mode", static c => (c.Setup.Architecture, c.Setup.Mode) },
        };

    [Theory]
    [MemberData(nameof(Groups))]
    public void What_is_left_out_is_predicted_by_the_rest(string what, Func<MeasuredCell, object> group)
    {
        var errors = CrossValidation.LeaveOut(Cells, group);
        Assert.InRange(CrossValidation.Median(errors), 0, 0.08);
        Assert.InRange(errors.Max(Math.Abs), 0, 0.4);

        // The errors that sweeps state are these.
        for (var i = 0; i < errors.Length; i++)
        {
            var (cell, curve, mode) = LeftOutErrors.Training[i];
            var written = what switch
            {
                "cell" => cell,
                "curve" => curve,
                _ => mode,
            };
            Assert.True(
                Math.Abs(errors[i] - written) < 0.005,
                $"{Cells[i].Curve} {Cells[i].Setup.Vcpus}, {what} left out: {errors[i]:0.000}, not {written}"
            );
        }
    }

    [Fact]
    public void The_middle_of_the_curves_follows_from_their_ends()
    {
        var middle = Cells.Where(static c => c.Setup.Vcpus == 8).ToList();
        var fit = CostFit.To([.. Cells.Except(middle)]);
        Assert.Equal(5, middle.Count);
        Assert.All(middle, c => Assert.InRange(CrossValidation.Error(c, fit.Predict(c.Setup)), -0.2, 0.2));
    }

    [Fact]
    public void The_cells_determine_fewer_unknowns_than_there_are()
    {
        Assert.InRange(CostFit.To(Cells).Determined(), 15, CostFit.UnknownCount - 1);
        // Without a cell every unknown is where its prior has it.
        Assert.Equal(0, CostFit.To([]).Determined(), 6);
    }

    [Theory]
    [InlineData(new double[0], 0)]
    [InlineData(new[] { -0.3 }, 0.3)]
    [InlineData(new[] { -0.3, 0.1, 0.2, 9 }, 0.25)]
    public void The_median_is_of_sizes(double[] errors, double expected) =>
        Assert.Equal(expected, CrossValidation.Median(errors), 9);
}
