namespace Userfault.Capacity;

/// <summary>How well a fit predicts cells that it has not seen.</summary>
public static class CrossValidation
{
    /// <summary>
    /// The relative error of a prediction: 0.1 is 10 % too many pages per second, -0.1 is 10 % too few.
    /// </summary>
    public static double Error(MeasuredCell cell, double predicted) => predicted / cell.RatePerVcpu - 1;

    /// <summary>The errors of cells, each predicted by a fit to all cells outside its group.</summary>
    /// <param name="cells">Measured rates.</param>
    /// <param name="group">The cells left out together: the cell itself, its curve, its number of vCPUs.</param>
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
