namespace Userfault.Capacity;

/// <summary>
/// Levenberg-Marquardt with a Jacobian by finite differences: small, dense, deterministic. The problems here have some
/// twenty unknowns and fifty residuals.
/// </summary>
internal static class LeastSquares
{
    private const double Step = 1e-6;
    private const int MostRounds = 400;

    /// <summary>
    /// Moves <paramref name="x"/> to a local minimum of the residuals' sum of squares, and returns that minimum.
    /// </summary>
    public static double Minimize(double[] x, Func<double[], double[]> residuals)
    {
        var damping = 1e-3;
        var r = residuals(x);
        var cost = Squares(r);
        for (var round = 0; round < MostRounds && damping < 1e12; round++)
        {
            var (normal, gradient) = Linearize(x, r, residuals);
            var step = Solve(normal, gradient, damping);
            var next = x.Zip(step, static (a, b) => a - b).ToArray();
            var nextResiduals = residuals(next);
            var nextCost = Squares(nextResiduals);
            if (!(nextCost < cost))
            {
                damping *= 4;
                continue;
            }

            var gain = cost - nextCost;
            (r, cost, damping) = (nextResiduals, nextCost, Math.Max(1e-9, damping / 3));
            next.CopyTo(x, 0);
            if (gain < 1e-12 * (1 + cost))
                break;
        }

        return cost;
    }

    /// <summary>
    /// The number of unknowns that the data determine rather than the priors: the trace of the projection onto the
    /// data's part of the normal matrix. The residuals' last rows are the priors, one for each unknown, of unit weight.
    /// </summary>
    public static double Determined(double[] x, Func<double[], double[]> residuals)
    {
        var (normal, gradient) = Linearize(x, residuals(x), residuals);
        var byPriors = 0.0;
        for (var i = 0; i < x.Length; i++)
        {
            Array.Clear(gradient);
            gradient[i] = 1;
            byPriors += Solve(normal, gradient, 0)[i];
        }

        return x.Length - byPriors;
    }

    private static double Squares(double[] r) => r.Sum(static v => v * v);

    private static (double[,] Normal, double[] Gradient) Linearize(
        double[] x,
        double[] r,
        Func<double[], double[]> residuals
    )
    {
        var n = x.Length;
        var columns = new double[n][];
        for (var i = 0; i < n; i++)
        {
            var moved = (double[])x.Clone();
            moved[i] += Step;
            columns[i] = [.. residuals(moved).Zip(r, static (a, b) => (a - b) / Step)];
        }

        var normal = new double[n, n];
        var gradient = new double[n];
        for (var i = 0; i < n; i++)
        {
            gradient[i] = Dot(columns[i], r);
            for (var j = 0; j < n; j++)
                normal[i, j] = Dot(columns[i], columns[j]);
        }

        return (normal, gradient);
    }

    private static double Dot(double[] a, double[] b)
    {
        var sum = 0.0;
        for (var i = 0; i < a.Length; i++)
            sum += a[i] * b[i];
        return sum;
    }

    // Gaussian elimination; the damped normal matrix is positive definite, so no pivot is zero.
    private static double[] Solve(double[,] normal, double[] gradient, double damping)
    {
        var n = gradient.Length;
        var a = (double[,])normal.Clone();
        var b = (double[])gradient.Clone();
        for (var i = 0; i < n; i++)
            a[i, i] += damping * (a[i, i] + 1e-9);
        for (var pivot = 0; pivot < n; pivot++)
        {
            for (var row = pivot + 1; row < n; row++)
            {
                var factor = a[row, pivot] / a[pivot, pivot];
                if (factor == 0)
                    continue;
                for (var k = pivot; k < n; k++)
                    a[row, k] -= factor * a[pivot, k];
                b[row] -= factor * b[pivot];
            }
        }

        for (var row = n - 1; row >= 0; row--)
        {
            for (var k = row + 1; k < n; k++)
                b[row] -= a[row, k] * b[k];
            b[row] /= a[row, row];
        }

        return b;
    }
}
