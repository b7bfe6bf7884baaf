namespace Userfault.Mmu;

/// <summary>The 4 KiB page, the unit in which this project counts guest memory.</summary>
public static class Page
{
    /// <summary>log2 of <see cref="Size"/>.</summary>
    public const int Shift = 12;

    /// <summary>Bytes in a page.</summary>
    public const int Size = 1 << Shift;

    /// <summary>Mask of the bits of an address that lie within a page.</summary>
    public const ulong OffsetMask = Size - 1;
}
