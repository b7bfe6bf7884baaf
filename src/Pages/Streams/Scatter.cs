namespace Userfault.Pages;

/// <summary>
/// A bijection of [0, n) that puts neighbours far apart: i -> i * step + first mod n, the step coprime to n.
/// </summary>
internal readonly struct Scatter
{
    private readonly ulong _count;
    private readonly ulong _first;
    private readonly ulong _step;

    public Scatter(ulong count, ulong seed)
    {
        _count = count;
        _first = Mix64.Below(Mix64.At(seed, 0), count);
        // Near the golden section, where multiples spread most evenly; the next coprime is never far.
        _step = Math.Max(1, (ulong)(count * 0.6180339887498949));
        while (Gcd(_step, count) != 1)
            _step++;
    }

    public ulong Of(ulong index) => (ulong)((((UInt128)index * _step) + _first) % _count);

    private static ulong Gcd(ulong a, ulong b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
