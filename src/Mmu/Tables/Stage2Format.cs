namespace Userfault.Mmu;

/// <summary>
/// arm64 stage 2 with the 4 KiB granule.
/// </summary>
/// <remarks>
/// <code>
/// table  [47:12] next table | [1] 1 | [0] valid
/// leaf   [54] XN | [47:12] frame | [10] AF | [9:8] SH
///        [7] S2AP write | [6] S2AP read | [5:2] MemAttr | [1] page | [0] valid
///        [51] DBM: hardware may set S2AP write | [55] software: write-protected, was writable (KVM_PGTABLE_PROT_SW0)
/// broken the leaf with [0] clear: hardware ignores what is left, software still reads it
/// </code>
/// Dirty state as FEAT_HAFDBS defines it: a leaf with DBM is clean while S2AP write is clear. A writable leaf without
/// DBM counts as dirty, since a write to it leaves no trace; clearing its dirty state arms DBM. KVM itself does not use
/// DBM at stage 2: it write-protects and logs in the fault path.
/// </remarks>
internal readonly struct Stage2Format : IPteFormat
{
    private const ulong Valid = 1UL << 0;
    private const ulong TableOrPage = 1UL << 1;
    private const ulong NormalWriteBack = 0xfUL << 2;
    private const ulong Read = 1UL << 6;
    private const ulong Write = 1UL << 7;
    private const ulong InnerShareable = 3UL << 8;
    private const ulong AccessFlag = 1UL << 10;
    private const ulong AddressMask = 0x0000_ffff_ffff_f000;
    private const ulong DirtyBitModifier = 1UL << 51;
    private const ulong ExecuteNever = 1UL << 54;
    private const ulong WriteProtected = 1UL << 55;

    /// <inheritdoc/>
    public static string Name => "arm64 stage 2";

    /// <inheritdoc/>
    public static ulong MaxFrame => AddressMask >> Page.Shift;

    /// <inheritdoc/>
    public static bool NeedsBreakBeforeMake => true;

    /// <inheritdoc/>
    /// <remarks>
    /// Up to 16 root tables may be concatenated, which saves a level: the walk starts at the lowest level whose root
    /// needs at most that many (<c>stage2_pgtable_levels(ipa) = ARM64_HW_PGTABLE_LEVELS(ipa - 4)</c>).
    /// </remarks>
    public static TableGeometry GeometryFor(int addressBits)
    {
        const int concatenatedBits = 4;
        ArgumentOutOfRangeException.ThrowIfLessThan(addressBits, 32);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(addressBits, 48);
        var bits = addressBits - concatenatedBits - Page.Shift;
        var root = (PageLevel)((bits + PageLevels.IndexBits - 1) / PageLevels.IndexBits);
        var tableBits = root.PagesShift() + PageLevels.IndexBits;
        var extraBits = Math.Max(0, addressBits - Page.Shift - tableBits);
        return new TableGeometry(addressBits, root, 1 << extraBits);
    }

    /// <inheritdoc/>
    public static bool IsTable(ulong pte) => (pte & (TableOrPage | Valid)) == (TableOrPage | Valid);

    /// <inheritdoc/>
    public static PteKind Classify(ulong pte, PageLevel level)
    {
        if ((pte & Valid) == 0)
        {
            return pte == 0 ? PteKind.Empty : PteKind.Broken;
        }
        // Bit 1 means page at the last level and table above it.
        return level > PageLevel.Size4K && IsTable(pte) ? PteKind.Table : PteKind.Leaf;
    }

    /// <inheritdoc/>
    public static ulong MakeLeaf(Pfn pfn, Access access, PageLevel level) =>
        (pfn.Value << Page.Shift)
        | AccessFlag
        | InnerShareable
        | NormalWriteBack
        | Valid
        | Permissions(access)
        | ((access & Access.Execute) == 0 ? ExecuteNever : 0)
        | (level == PageLevel.Size4K ? TableOrPage : 0);

    /// <inheritdoc/>
    public static ulong MakeTable(ulong table) => table | TableOrPage | Valid;

    /// <inheritdoc/>
    public static ulong TableOf(ulong pte) => pte & AddressMask;

    /// <inheritdoc/>
    public static Pfn FrameOf(ulong pte) => new((pte & AddressMask) >> Page.Shift);

    /// <inheritdoc/>
    public static Access AccessOf(ulong pte)
    {
        // Runs in every walk, so without branches: bits 7:6 are already write and read, 51 means write as well, 54
        // means "no execute".
        var readWrite = ((pte >> 6) & 3) | ((pte >> 50) & 2);
        var execute = (~pte >> 52) & 4;
        return (Access)(readWrite | execute);
    }

    /// <inheritdoc/>
    public static bool IsAccessed(ulong pte) => (pte & AccessFlag) != 0;

    /// <inheritdoc/>
    public static bool IsDirty(ulong pte) => (pte & Write) != 0;

    /// <inheritdoc/>
    public static bool IsWriteProtected(ulong pte) => (pte & WriteProtected) != 0;

    /// <inheritdoc/>
    public static ulong Touch(ulong pte, Access access) =>
        pte | AccessFlag | ((access & Access.Write) != 0 ? Write : 0);

    /// <inheritdoc/>
    public static ulong ClearAccessed(ulong pte) => pte & ~AccessFlag;

    /// <inheritdoc/>
    public static ulong ClearDirty(ulong pte) => (pte & Write) == 0 ? pte : (pte & ~Write) | DirtyBitModifier;

    /// <inheritdoc/>
    public static ulong WriteProtect(ulong pte) =>
        (pte & (Write | DirtyBitModifier)) == 0 ? pte : (pte & ~(Write | DirtyBitModifier)) | WriteProtected;

    /// <inheritdoc/>
    public static ulong Relax(ulong pte, Access access)
    {
        var relaxed = (pte | Permissions(access)) & ~((access & Access.Execute) != 0 ? ExecuteNever : 0);
        return (relaxed & Write) != 0 ? relaxed & ~WriteProtected : relaxed;
    }

    /// <inheritdoc/>
    public static ulong SplitChild(ulong pte, PageLevel level, int index)
    {
        var child = level - 1;
        var frames = (ulong)index << child.PagesShift();
        return (child == PageLevel.Size4K ? pte | TableOrPage : pte) + (frames << Page.Shift);
    }

    /// <inheritdoc/>
    public static ulong Break(ulong pte) => pte & ~Valid;

    /// <inheritdoc/>
    public static ulong Unbreak(ulong pte) => pte | Valid;

    /// <inheritdoc/>
    public static string LevelName(PageLevel level) =>
        level switch
        {
            // In arm64's numbering.
            PageLevel.Size4K => "3",
            PageLevel.Size2M => "2",
            PageLevel.Size1G => "1",
            _ => "0",
        };

    /// <inheritdoc/>
    public static string Describe(ulong pte, PageLevel level) =>
        string.Concat(
            string.Concat(
                (pte & Valid) != 0 ? "  " : " F",
                (pte & Read) != 0 ? " R" : "  ",
                (pte & Write) != 0 ? " W" : "  ",
                (pte & ExecuteNever) != 0 ? " PXNUXN" : " px ux "
            ),
            (pte & AccessFlag) != 0 ? " AF" : "   ",
            level > PageLevel.Size4K ? " BLK" : "    ",
            string.Concat((pte & DirtyBitModifier) != 0 ? " DBM" : "    ", (pte & WriteProtected) != 0 ? " WP" : "   ")
        );

    private static ulong Permissions(Access access) =>
        ((access & Access.Read) != 0 ? Read : 0) | ((access & Access.Write) != 0 ? Write : 0);
}
