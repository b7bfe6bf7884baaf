namespace Userfault.Capacity;

/// <summary>
/// Where an unknown of <see cref="CostFit"/> is looked for: log-normal, so two thirds of the probability lie within a
/// factor of e^<see cref="Spread"/> around <see cref="Center"/>.
/// </summary>
/// <param name="Name">The unknown.</param>
/// <param name="Center">Its usual value.</param>
/// <param name="Spread">The spread of its logarithm.</param>
internal sealed record CostPrior(string Name, double Center, double Spread)
{
    /// <summary>The spread of arm64's value around x86's; 0 if both have one value.</summary>
    public double Between { get; init; }

    /// <summary>A cost of cache lines: arm64's differ from x86's together, and then each for itself.</summary>
    public bool IsLine { get; init; }
}
