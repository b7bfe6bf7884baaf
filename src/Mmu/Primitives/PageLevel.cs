namespace Userfault.Mmu;

/// <summary>
/// Level of a second-stage entry, numbered like KVM's <c>PG_LEVEL_*</c>: 1 maps 4 KiB, each higher level 512 times
/// more. arm64 numbers its levels the other way round (level 3 is the page); this project uses one numbering for both.
/// </summary>
public enum PageLevel
{
    /// <summary>4 KiB: a page (arm64 level 3).</summary>
    Size4K = 1,

    /// <summary>2 MiB: a large page on x86, a level-2 block on arm64.</summary>
    Size2M = 2,

    /// <summary>1 GiB: a large page on x86, a level-1 block on arm64.</summary>
    Size1G = 3,

    /// <summary>512 GiB: never a leaf here; the root of 4-level tables.</summary>
    Size512G = 4,

    /// <summary>256 TiB: never a leaf; the root of 5-level tables.</summary>
    Size256T = 5,
}

/// <summary>Sizes of <see cref="PageLevel"/>.</summary>
public static class PageLevels
{
    /// <summary>Bits of a gfn that one level resolves.</summary>
    public const int IndexBits = 9;

    /// <summary>Entries in a table page.</summary>
    public const int EntriesPerTable = 1 << IndexBits;

    /// <summary>log2 of the pages that an entry of this level covers.</summary>
    public static int PagesShift(this PageLevel level) => ((int)level - 1) * IndexBits;

    /// <summary>4 KiB pages that an entry of this level covers: 1, 512, 262144, ...</summary>
    public static ulong Pages(this PageLevel level) => 1UL << level.PagesShift();

    /// <summary>Bytes that an entry of this level covers.</summary>
    public static ulong Bytes(this PageLevel level) => level.Pages() << Page.Shift;
}
