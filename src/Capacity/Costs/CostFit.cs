using Userfault.Mmu;

namespace Userfault.Capacity;

/// <summary>
/// Fits <see cref="KernelCosts"/> to measured rates: least squares on the logarithm of the rate, with a prior for each
/// unknown, and with arm64's unknowns tied to x86's where its own cells do not determine them. Unknowns that the data
/// do not determine stay at typical values of kernels.
/// </summary>
public sealed class CostFit
{
    // Two thirds of all rates are assumed to be within this share of a perfect model's prediction.
    private const double RateNoise = 0.04;

    // Prior on the distance of arm64's costs from x86's: two thirds are within a factor of e^0.5.
    private const double ArchitectureSpread = 0.5;

    private const int Starts = 6;
    private const int Shared = 3;

    // Centers and the spread of the logarithm. The first nine are specific to an architecture, the last three shared.
    private static readonly (string Name, double Center, double Spread)[] Priors =
    [
        ("fault", 2000, 0.3),
        ("map line", 900, 0.7),
        ("exit", 2800, 0.3),
        ("exit line", 150, 1.5),
        ("resolve line", 120, 1.0),
        ("reader", 4800, 0.3),
        ("wake", 3000, 0.6),
        ("herd", 250, 0.7),
        ("growth", 0.75, 0.2),
        ("allocate", 450, 0.5),
        ("resolve", 600, 0.4),
        ("sibling", 0.5, 0.3),
    ];

    private static readonly int Own = Priors.Length - Shared;

    private CostFit(double[] x, double cost)
    {
        X86 = Costs(x, Architecture.X86);
        Arm64 = Costs(x, Architecture.Arm64);
        Cost = cost;
    }

    /// <summary>x86's costs.</summary>
    public KernelCosts X86 { get; }

    /// <summary>arm64's costs.</summary>
    public KernelCosts Arm64 { get; }

    /// <summary>The minimum of the sum of squares, including priors; 1 is one standard deviation.</summary>
    public double Cost { get; }

    /// <summary>Fits to cells. The same cells and seed give the same costs.</summary>
    /// <param name="cells">Measured rates; there may be few, since the priors supply the rest.</param>
    /// <param name="seed">Seed of the starting points: the best of several descents is kept.</param>
    public static CostFit To(IReadOnlyList<MeasuredCell> cells, int seed = 1)
    {
        var random = new Random(seed);
        CostFit? best = null;
        for (var start = 0; start < Starts; start++)
        {
            var x = new double[Priors.Length + Own];
            if (start > 0)
            {
                for (var i = 0; i < x.Length; i++)
                    x[i] = random.NextDouble() - 0.5;
            }

            var cost = LeastSquares.Minimize(x, candidate => Residuals(candidate, cells));
            if (best is null || cost < best.Cost)
                best = new CostFit(x, cost);
        }

        return best!;
    }

    /// <summary>The costs of an architecture.</summary>
    public KernelCosts Of(Architecture architecture) => architecture == Architecture.X86 ? X86 : Arm64;

    /// <summary>The predicted rate of a cell, in pages/s per vCPU.</summary>
    public double Predict(PagingSetup setup) => KernelCostModel.RatePerVcpu(Of(setup.Architecture), setup);

    // Unknowns are in units of their prior's spread: 0 is the center. First x86's and the shared ones, then arm64's,
    // relative to x86's.
    private static KernelCosts Costs(double[] x, Architecture architecture)
    {
        double Value(int i)
        {
            var away = x[i] * Priors[i].Spread;
            if (i < Own && architecture == Architecture.Arm64)
                away += x[Priors.Length + i] * SpreadBetween(i);
            return Priors[i].Center * Math.Exp(away);
        }

        return new KernelCosts(
            Value(0),
            Value(1),
            Value(2),
            Value(3),
            Value(4),
            Value(5),
            Value(6),
            Value(7),
            Math.Min(1, Value(8)),
            Value(9),
            Value(10),
            Value(11)
        );
    }

    // The costs of cache lines differ more between architectures than the lengths of code paths.
    private static double SpreadBetween(int i) =>
        Math.Min(2 * Priors[i].Spread, Priors[i].Spread > ArchitectureSpread ? 1.5 : ArchitectureSpread);

    private static double[] Residuals(double[] x, IReadOnlyList<MeasuredCell> cells)
    {
        var (x86, arm64) = (Costs(x, Architecture.X86), Costs(x, Architecture.Arm64));
        var residuals = new double[cells.Count + x.Length];
        for (var i = 0; i < cells.Count; i++)
        {
            var setup = cells[i].Setup;
            var costs = setup.Architecture == Architecture.X86 ? x86 : arm64;
            residuals[i] = Math.Log(KernelCostModel.RatePerVcpu(costs, setup) / cells[i].RatePerVcpu) / RateNoise;
        }

        x.CopyTo(residuals, cells.Count);
        return residuals;
    }
}
