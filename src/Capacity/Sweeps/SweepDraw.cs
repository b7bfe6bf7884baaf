namespace Userfault.Capacity;

/// <summary>Random numbers that are functions of a seed and a counter: SplitMix64.</summary>
internal static class SweepDraw
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    /// <summary>A number in [0, 1).</summary>
    public static double Fraction(ulong seed, ulong n) =>
        (Mix(Mix(seed + Golden) + ((n + 1) * Golden)) >> 11) * (1.0 / (1UL << 53));

    /// <summary>A time with this mean, exponentially distributed.</summary>
    public static double Exponential(ulong seed, ulong n, double mean) => -Math.Log(1 - Fraction(seed, n)) * mean;

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
