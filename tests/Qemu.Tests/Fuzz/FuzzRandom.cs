namespace Userfault.Qemu.Tests;

/// <summary>Numbers by chance (SplitMix64): one costs a nanosecond, a new seed nothing.</summary>
internal struct FuzzRandom(ulong seed)
{
    private ulong _state = seed * 0x9e3779b97f4a7c15;

    /// <summary>64 bits.</summary>
    public ulong Next()
    {
        var z = _state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }

    /// <summary>Below a bound, which is not 0.</summary>
    public int Below(int bound) => (int)(Next() % (ulong)bound);
}
