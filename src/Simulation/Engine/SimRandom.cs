using Userfault.Pages;

namespace Userfault.Simulation;

/// <summary>
/// A stream of seeded numbers, the same on every machine: every random choice in a run draws from one.
/// </summary>
public sealed class SimRandom
{
    private readonly ulong _seed;
    private ulong _drawn;

    /// <summary>
    /// The stream of a seed for one purpose: streams for different purposes are independent.
    /// </summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="purpose">The purpose of the numbers, such as <c>network</c>.</param>
    public SimRandom(ulong seed, string purpose) => _seed = Mix64.At(seed, SimHash.Of(purpose));

    /// <summary>64 random bits.</summary>
    public ulong Next() => Mix64.At(_seed, _drawn++);

    /// <summary>A number in [0, <paramref name="bound"/>); 0 if the bound is 0.</summary>
    public ulong Below(ulong bound) => Mix64.Below(Next(), bound);

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, inclusive.</summary>
    public long Between(long least, long most) => least + (long)Below((ulong)(most - least) + 1);

    /// <summary>A fraction in [0, 1).</summary>
    public double Fraction() => Mix64.Fraction(Next());

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => Fraction() < probability;

    /// <summary>One of a list.</summary>
    public T OneOf<T>(IReadOnlyList<T> choices)
    {
        ArgumentNullException.ThrowIfNull(choices);
        return choices[(int)Below((ulong)choices.Count)];
    }

    /// <summary>Fills a span with random bytes.</summary>
    public void Fill(Span<byte> bytes)
    {
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)Next();
    }
}
