namespace Userfault.Cli;

/// <summary>One line of a chart.</summary>
/// <param name="Name">What it shows.</param>
/// <param name="Color">Its colour in CSS.</param>
/// <param name="IsDashed">Dashed, not solid.</param>
/// <param name="Points">Ascending in X; both above 0.</param>
/// <param name="KneeX">Where it bends; null where it does not.</param>
internal sealed record SweepSeries(
    string Name,
    string Color,
    bool IsDashed,
    IReadOnlyList<(double X, double Y)> Points,
    double? KneeX
);
