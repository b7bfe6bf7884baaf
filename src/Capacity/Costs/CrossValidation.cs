namespace Userfault.Capacity;

/// <summary>How well cells are foretold by a fit that has not seen them.</summary>
public static class CrossValidation
{
    /// <summary>
    /// The relative error of a prediction: 0.1 is a tenth too many pages a second, or too few with a minus.
    /// </summary>
    public static double Error(MeasuredCell cell, double predicted) => predicted / cell.RatePerVcpu - 1;

    /// <summary>The errors of cells, each foretold by a fit to all cells but those of its group.</summary>
    /// <param name="cells">Measured rates.</param>
    /// <param name="group">What is left out together: the cell itself, its curve, its count of vCPUs.</param>
    public static double[] LeaveOut<TGroup>(IReadOnlyList<MeasuredCell> cells, Func<MeasuredCell, TGroup> group)
        where TGroup : notnull
    {
        var fits = cells
            .Select(group)
            .Distinct()
            .ToDictionary(static left => left, left => CostFit.To([.. cells.Where(c => !group(c).Equals(left))]));
        return [.. cells.Select(c => Error(c, fits[group(c)].Predict(c.Setup)))];
    }

    /// <summary>The median of the errors' absolute values.</summary>
    public static double Median(IEnumerable<double> errors)
    {
        var sorted = errors.Select(Math.Abs).Order().ToArray();
        if (sorted.Length == 0)
            return 0;
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
