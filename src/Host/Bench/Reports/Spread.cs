namespace Userfault.Cli;

/// <summary>The median of some rounds, and their range.</summary>
/// <param name="Median">The median; of an even number, the mean of the two in the middle.</param>
/// <param name="Low">The lowest.</param>
/// <param name="High">The highest.</param>
internal readonly record struct Spread(double Median, double Low, double High)
{
    /// <summary>Of one value or more; all 0 of none.</summary>
    public static Spread Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0)
            return default;
        var half = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
        return new Spread(median, sorted[0], sorted[^1]);
    }
}
