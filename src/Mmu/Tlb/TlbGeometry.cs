using System.Numerics;

namespace Userfault.Mmu;

/// <summary>Shape of a TLB bank for one page size. Both 0: the hardware has no entries of that size.</summary>
public readonly record struct TlbGeometry
{
    /// <summary>A bank of <paramref name="sets"/> times <paramref name="ways"/> entries.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The sets are not a power of two, the ways are not positive, or
    /// there are more than 2^24 entries.</exception>
    public TlbGeometry(int sets, int ways)
    {
        if (sets < 1 || !BitOperations.IsPow2(sets))
            throw new ArgumentOutOfRangeException(nameof(sets), sets, "Not a power of two.");
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(ways);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((long)sets * ways, 1L << 24, nameof(ways));
        Sets = sets;
        Ways = ways;
    }

    /// <summary>Number of sets, a power of two: the low bits of the page number select one.</summary>
    public int Sets { get; }

    /// <summary>Entries per set, replaced least recently used first.</summary>
    public int Ways { get; }

    /// <summary>Entries in the bank.</summary>
    public int Entries => Sets * Ways;

    /// <summary>No entries of this size.</summary>
    public static TlbGeometry None => default;
}
