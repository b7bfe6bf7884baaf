namespace Userfault.Mmu;

/// <summary>
/// x86 extended page tables.
/// </summary>
/// <remarks>
/// <code>
/// table  [51:12] next table | [2:0] X W R = 7
/// leaf   [51:12] frame | [9] dirty | [8] accessed | [7] large (2M/1G)
///        [6] ignore PAT | [5:3] memory type | [2:0] X W R
///        [58] software: write-protected, was writable (where KVM keeps EPT_SPTE_MMU_WRITABLE)
/// </code>
/// </remarks>
public readonly struct EptFormat : IPteFormat
{
    private const ulong Read = 1UL << 0;
    private const ulong Write = 1UL << 1;
    private const ulong Execute = 1UL << 2;
    private const ulong Permissions = Read | Write | Execute;
    private const ulong WriteBack = 6UL << 3;
    private const ulong Large = 1UL << 7;
    private const ulong Accessed = 1UL << 8;
    private const ulong Dirty = 1UL << 9;
    private const ulong AddressMask = 0x000f_ffff_ffff_f000;
    private const ulong WriteProtected = 1UL << 58;

    /// <inheritdoc/>
    public static string Name => "EPT";

    /// <inheritdoc/>
    public static ulong MaxFrame => AddressMask >> Page.Shift;

    /// <inheritdoc/>
    public static bool NeedsBreakBeforeMake => false;

    /// <inheritdoc/>
    public static TableGeometry GeometryFor(int addressBits)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(addressBits, 32);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(addressBits, 57);
        // KVM uses four levels if the guest's physical addresses fit, even on hardware with five.
        var root = addressBits <= 48 ? PageLevel.Size512G : PageLevel.Size256T;
        return new TableGeometry(addressBits, root, RootTables: 1);
    }

    /// <inheritdoc/>
    public static bool IsTable(ulong pte) => (pte & (Permissions | Large)) == Permissions;

    /// <inheritdoc/>
    public static PteKind Classify(ulong pte, PageLevel level)
    {
        if ((pte & Permissions) == 0)
        {
            return PteKind.Empty;
        }
        return level > PageLevel.Size4K && IsTable(pte) ? PteKind.Table : PteKind.Leaf;
    }

    /// <inheritdoc/>
    public static ulong MakeLeaf(Pfn pfn, Access access, PageLevel level) =>
        (pfn.Value << Page.Shift) | WriteBack | (ulong)access | (level == PageLevel.Size4K ? 0 : Large);

    /// <inheritdoc/>
    public static ulong MakeTable(ulong table) => table | Permissions;

    /// <inheritdoc/>
    public static ulong TableOf(ulong pte) => pte & AddressMask;

    /// <inheritdoc/>
    public static Pfn FrameOf(ulong pte) => new((pte & AddressMask) >> Page.Shift);

    /// <inheritdoc/>
    public static Access AccessOf(ulong pte) => (Access)(pte & Permissions);

    /// <inheritdoc/>
    public static bool IsAccessed(ulong pte) => (pte & Accessed) != 0;

    /// <inheritdoc/>
    public static bool IsDirty(ulong pte) => (pte & Dirty) != 0;

    /// <inheritdoc/>
    public static bool IsWriteProtected(ulong pte) => (pte & WriteProtected) != 0;

    /// <inheritdoc/>
    public static ulong Touch(ulong pte, Access access) => pte | Accessed | ((access & Access.Write) != 0 ? Dirty : 0);

    /// <inheritdoc/>
    public static ulong ClearAccessed(ulong pte) => pte & ~Accessed;

    /// <inheritdoc/>
    public static ulong ClearDirty(ulong pte) => pte & ~Dirty;

    /// <inheritdoc/>
    public static ulong WriteProtect(ulong pte) => (pte & Write) == 0 ? pte : (pte & ~Write) | WriteProtected;

    /// <inheritdoc/>
    public static ulong Relax(ulong pte, Access access)
    {
        var relaxed = pte | (ulong)access;
        return (relaxed & Write) != 0 ? relaxed & ~WriteProtected : relaxed;
    }

    /// <inheritdoc/>
    public static ulong SplitChild(ulong pte, PageLevel level, int index)
    {
        var child = level - 1;
        var frames = (ulong)index << child.PagesShift();
        // Below 4 KiB leaves bit 7 is ignored by hardware; it is cleared so that each leaf has one encoding.
        return (child == PageLevel.Size4K ? pte & ~Large : pte) + (frames << Page.Shift);
    }

    /// <inheritdoc/>
    public static ulong Break(ulong pte) => throw new NotSupportedException("EPT entries are replaced without a break");

    /// <inheritdoc/>
    public static ulong Unbreak(ulong pte) =>
        throw new NotSupportedException("EPT entries are replaced without a break");

    /// <inheritdoc/>
    public static string LevelName(PageLevel level) =>
        level switch
        {
            PageLevel.Size4K => "pte",
            PageLevel.Size2M => "pmd",
            PageLevel.Size1G => "pud",
            PageLevel.Size512G => "p4d",
            _ => "pgd",
        };

    /// <inheritdoc/>
    public static string Describe(ulong pte, PageLevel level) =>
        string.Concat(
            (pte & Read) != 0 ? " R" : "  ",
            (pte & Write) != 0 ? " W" : "  ",
            (pte & Execute) != 0 ? " x " : " NX",
            string.Concat(
                MemoryType(pte),
                level > PageLevel.Size4K ? " PSE" : "    ",
                (pte & Accessed) != 0 ? " A" : "  ",
                (pte & Dirty) != 0 ? " D" : "  "
            ),
            (pte & WriteProtected) != 0 ? " WP" : "   "
        );

    private static string MemoryType(ulong pte) =>
        ((pte >> 3) & 7) switch
        {
            0 => " UC",
            1 => " WC",
            4 => " WT",
            5 => " WP",
            6 => " WB",
            _ => " ??",
        };
}
