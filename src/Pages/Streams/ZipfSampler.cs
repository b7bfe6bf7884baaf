namespace Userfault.Pages;

/// <summary>
/// Draws ranks by Zipf's law over [0, n) without a table: rejection-inversion (Hörmann and Derflinger, 1996). The
/// density x^-s is integrated in closed form and inverted; a draw is rejected about once in ten. Draw n of a seed is a
/// function of both, so streams can be opened anywhere.
/// </summary>
internal sealed class ZipfSampler
{
    private readonly ulong _count;
    private readonly double _exponent;
    private readonly double _lowest;
    private readonly double _highest;
    private readonly double _sureBelow;

    public ZipfSampler(ulong count, double exponent)
    {
        _count = count;
        _exponent = exponent;
        _lowest = Integral(1.5) - 1;
        _highest = Integral(count + 0.5);
        _sureBelow = 2 - Inverse(Integral(2.5) - Density(2));
    }

    /// <summary>The rank of draw <paramref name="n"/>: 0 is the most popular.</summary>
    /// <param name="draw">The draw's first random word.</param>
    /// <param name="seed">Where further words come from after a rejection.</param>
    /// <param name="n">Number of the draw.</param>
    public ulong RankOf(ulong draw, ulong seed, ulong n)
    {
        for (ulong attempt = 1; ; attempt++)
        {
            var u = _highest + (Mix64.Fraction(draw) * (_lowest - _highest));
            var x = Inverse(u);
            var rank = Math.Clamp(Math.Round(x), 1, _count);
            if (rank - x <= _sureBelow || u >= Integral(rank + 0.5) - Density(rank))
                return (ulong)rank - 1;
            draw = Mix64.At(draw ^ seed, n + attempt);
        }
    }

    private double Density(double x) => Math.Exp(-_exponent * Math.Log(x));

    // Integral of x^-s, and its inverse; both written so that s near 1 (the logarithm) is no special case.
    private double Integral(double x)
    {
        var log = Math.Log(x);
        return ExpMinusOneOver((1 - _exponent) * log) * log;
    }

    private double Inverse(double y)
    {
        // Rounding may push this a hair past the pole at -1.
        var t = Math.Max(-1, y * (1 - _exponent));
        return Math.Exp(LogOnePlusOver(t) * y);
    }

    private static double LogOnePlusOver(double x) =>
        Math.Abs(x) > 1e-8 ? Math.Log(1 + x) / x : 1 - (x * (0.5 - (x * ((1.0 / 3) - (0.25 * x)))));

    private static double ExpMinusOneOver(double x) =>
        Math.Abs(x) > 1e-8 ? (Math.Exp(x) - 1) / x : 1 + (x * 0.5 * (1 + (x / 3 * (1 + (0.25 * x)))));
}
