using System.Runtime.Intrinsics;

namespace Userfault.Pages;

/// <summary>
/// Seeded numbers out of counters (splitmix64's finisher): number n of a seed without the n - 1 before it, the same on
/// every machine. Everything generated in this room draws from here.
/// </summary>
internal static class Mix64
{
    internal const ulong Golden = 0x9e3779b97f4a7c15;

    /// <summary>A bijection of 64-bit words that leaves no pattern.</summary>
    public static ulong Of(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }

    /// <summary>The same of each of four words.</summary>
    public static Vector256<ulong> Of(Vector256<ulong> x)
    {
        x = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >>> 27)) * 0x94d049bb133111eb;
        return x ^ (x >>> 31);
    }

    /// <summary>Number <paramref name="n"/> of <paramref name="seed"/>.</summary>
    public static ulong At(ulong seed, ulong n) => Of(Of(seed + Golden) + ((n + 1) * Golden));

    /// <summary>A word as a fraction in [0, 1), 53 bits of it.</summary>
    public static double Fraction(ulong x) => (x >> 11) * (1.0 / (1UL << 53));

    /// <summary>A word scaled to [0, <paramref name="bound"/>).</summary>
    public static ulong Below(ulong x, ulong bound) => Math.BigMul(x, bound, out _);
}
