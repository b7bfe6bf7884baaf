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

    private const int Starts = 4;

    // The spread of arm64's lines as a whole against x86's, before each differs for itself.
    private const double LinesBetween = 0.5;

    // x86's locked instructions fetch the line, contended or not; arm64's large-system extensions do their work where
    // the line is. The share is a property of the form, not fitted: no cell determines it. See docs/model.md.
    private const double X86LineShare = 0.8;
    private const double Arm64LineShare = 0;

    private static readonly CostPrior[] Priors =
    [
        new("fault", 2000, 0.3) { Between = 0.3 },
        new("map line", 300, 0.7) { Between = 0.3, IsLine = true },
        new("exit", 2800, 0.3) { Between = 0.3 },
        new("exit line", 150, 1.5) { Between = 1.5, IsLine = true },
        new("resolve line", 100, 1.0) { Between = 0.5, IsLine = true },
        new("reader", 4800, 0.3) { Between = 0.3 },
        new("wake", 3000, 0.6) { Between = 0.5 },
        new("herd", 100, 0.7) { Between = 0.7, IsLine = true },
        new("growth", 0.25, 0.7) { Between = 1.0 },
        new("allocate", 450, 0.5),
        new("resolve", 600, 0.4),
        new("sibling", 0.5, 0.3),
        new("reader wake", 1500, 0.6),
        new("wake line", 1000, 0.7),
    ];

    // After the priors: one unknown for arm64's lines together, then one for each prior that differs between the
    // architectures.
    private static readonly int[] OwnAt = Own();
    private static readonly int Unknowns = Priors.Length + 1 + Priors.Count(static p => p.Between > 0);

    private readonly double[] _x;
    private readonly IReadOnlyList<MeasuredCell> _cells;

    private CostFit(double[] x, double cost, IReadOnlyList<MeasuredCell> cells)
    {
        (_x, _cells) = (x, cells);
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

    /// <summary>The number of unknowns, each with a prior.</summary>
    public static int UnknownCount => Unknowns;

    /// <summary>The number of unknowns that the cells determine rather than the priors; not a whole number.</summary>
    public double Determined() => LeastSquares.Determined(_x, candidate => Residuals(candidate, _cells));

    /// <summary>Fits to cells. The same cells and seed give the same costs.</summary>
    /// <param name="cells">Measured rates; there may be few, since the priors supply the rest.</param>
    /// <param name="seed">Seed of the starting points: the best of several descents is kept.</param>
    public static CostFit To(IReadOnlyList<MeasuredCell> cells, int seed = 1)
    {
        var random = new Random(seed);
        CostFit? best = null;
        for (var start = 0; start < Starts; start++)
        {
            var x = new double[Unknowns];
            if (start > 0)
            {
                for (var i = 0; i < x.Length; i++)
                    x[i] = random.NextDouble() - 0.5;
            }

            var cost = LeastSquares.Minimize(x, candidate => Residuals(candidate, cells));
            if (best is null || cost < best.Cost)
                best = new CostFit(x, cost, cells);
        }

        return best!;
    }

    /// <summary>The costs of an architecture.</summary>
    public KernelCosts Of(Architecture architecture) => architecture == Architecture.X86 ? X86 : Arm64;

    /// <summary>The predicted rate of a cell, in pages/s per vCPU.</summary>
    public double Predict(PagingSetup setup) => KernelCostModel.RatePerVcpu(Of(setup.Architecture), setup);

    private static int[] Own()
    {
        var at = new int[Priors.Length];
        var next = Priors.Length + 1;
        for (var i = 0; i < at.Length; i++)
            at[i] = Priors[i].Between > 0 ? next++ : -1;
        return at;
    }

    // Unknowns are in units of their prior's spread: 0 is the center.
    private static KernelCosts Costs(double[] x, Architecture architecture)
    {
        double Value(int i)
        {
            var prior = Priors[i];
            var away = x[i] * prior.Spread;
            if (architecture == Architecture.Arm64 && prior.Between > 0)
                away += x[OwnAt[i]] * prior.Between + (prior.IsLine ? x[Priors.Length] * LinesBetween : 0);
            return prior.Center * Math.Exp(away);
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
            Value(8),
            Value(9),
            Value(10),
            Value(11),
            Value(12),
            Value(13),
            architecture == Architecture.X86 ? X86LineShare : Arm64LineShare
        );
    }

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
