using System.Globalization;
using System.Text;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>A fit in Markdown: costs, residuals, cross-validation. docs/model.md shows this text.</summary>
internal static class FitReport
{
    public static string Of(IReadOnlyList<MeasuredCell> cells)
    {
        var fit = CostFit.To(cells);
        var text = new StringBuilder();
        Costs(text, fit);
        text.Append(
            CultureInfo.InvariantCulture,
            $"\n{cells.Count} cells, {CostFit.UnknownCount} unknowns with priors; the cells determine "
                + $"{fit.Determined():0.0} of them, which leaves {cells.Count - fit.Determined():0.0} degrees of "
                + $"freedom.\n"
        );
        var alone = CrossValidation.LeaveOut(cells, static c => c);
        var curve = CrossValidation.LeaveOut(cells, static c => c.Curve);
        var mode = CrossValidation.LeaveOut(cells, static c => (c.Setup.Architecture, c.Setup.Mode));
        Residuals(text, cells, fit, [alone, curve, mode]);
        text.Append("\n| left out together | median error | mean error | worst |\n|---|---|---|---|\n");
        Row(
            text,
            "nothing (residuals of the fit)",
            [.. cells.Select(c => CrossValidation.Error(c, fit.Predict(c.Setup)))]
        );
        Row(text, "one cell", alone);
        Row(text, "a curve (all vCPU counts of one setup)", curve);
        Row(text, "a mode of an architecture", mode);
        foreach (var vcpus in cells.Select(static c => c.Setup.Vcpus).Distinct().Order())
        {
            var unseen = cells.Where(c => c.Setup.Vcpus == vcpus).ToList();
            var other = CostFit.To([.. cells.Where(c => c.Setup.Vcpus != vcpus)]);
            Row(
                text,
                $"all cells with {vcpus} vCPUs",
                [.. unseen.Select(c => CrossValidation.Error(c, other.Predict(c.Setup)))]
            );
        }

        return text.ToString();
    }

    private static void Costs(StringBuilder text, CostFit fit)
    {
        text.Append("| cost | x86 | arm64 |\n|---|---|---|\n");
        foreach (
            var property in typeof(KernelCosts).GetProperties().Where(static p => p.PropertyType == typeof(double))
        )
        {
            var (x86, arm64) = ((double)property.GetValue(fit.X86)!, (double)property.GetValue(fit.Arm64)!);
            var format = property.Name.EndsWith("Ns", StringComparison.Ordinal) ? "0" : "0.000";
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {property.Name} | {x86.ToString(format)} | {arm64.ToString(format)} |\n"
            );
        }
    }

    private static void Residuals(
        StringBuilder text,
        IReadOnlyList<MeasuredCell> cells,
        CostFit fit,
        IReadOnlyList<double[]> leftOut
    )
    {
        text.Append(
            "\n| measured | vCPUs | rate | fitted | error | cell left out | curve left out | mode left out |\n"
                + "|---|---|---|---|---|---|---|---|\n"
        );
        for (var i = 0; i < cells.Count; i++)
        {
            var (cell, predicted) = (cells[i], fit.Predict(cells[i].Setup));
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {cell.Curve} | {cell.Setup.Vcpus} | {cell.RatePerVcpu:0} | {predicted:0} | "
                    + $"{CrossValidation.Error(cell, predicted):+0.0 %;-0.0 %} |"
            );
            foreach (var errors in leftOut)
                text.Append(CultureInfo.InvariantCulture, $" {errors[i]:+0.0 %;-0.0 %} |");
            text.Append('\n');
        }
    }

    private static void Row(StringBuilder text, string name, double[] errors) =>
        text.Append(
            CultureInfo.InvariantCulture,
            $"| {name} | {CrossValidation.Median(errors):0.0 %} | {errors.Average(Math.Abs):0.0 %} | "
                + $"{errors.Max(Math.Abs):0.0 %} |\n"
        );
}
