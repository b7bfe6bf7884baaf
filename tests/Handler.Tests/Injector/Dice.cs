namespace Userfault.Handler.Tests;

/// <summary>Random numbers of one run: the same seed gives the same run.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong _state = seed;

    /// <summary>A number from 0 to <paramref name="below"/> - 1.</summary>
    public int Roll(int below) => (int)(Next() % (ulong)below);

    /// <summary>True in that many of a thousand times.</summary>
    public bool Comes(int perMille) => perMille > 0 && Roll(1000) < perMille;

    /// <summary>One of several.</summary>
    public T Of<T>(ReadOnlySpan<T> choices) => choices[Roll(choices.Length)];

    private ulong Next()
    {
        _state += 0x9e3779b97f4a7c15;
        var x = (_state ^ (_state >> 30)) * 0xbf58476d1ce4e5b9;
        x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
        return x ^ (x >> 31);
    }
}
