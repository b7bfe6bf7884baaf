using System.Runtime.CompilerServices;

namespace Userfault.Mmu;

/// <summary>The result of a walk: a leaf, or the entry at which it ended without one.</summary>
public readonly record struct WalkResult
{
    private readonly byte _level;
    private readonly byte _access;
    private readonly Flags _flags;

    private WalkResult(ulong pte, Pfn pfn, PageLevel level, Access access, Flags flags)
    {
        Pte = pte;
        Pfn = pfn;
        _level = (byte)level;
        _access = (byte)access;
        _flags = flags;
    }

    [Flags]
    private enum Flags : byte
    {
        None = 0,
        Present = 1,
        Accessed = 2,
        Dirty = 4,
        WriteProtected = 8,
    }

    /// <summary>The value of the entry when it was read.</summary>
    public ulong Pte { get; }

    /// <summary>
    /// The frame of the requested gfn (within a large leaf: not the leaf's first); 0 if not present.
    /// </summary>
    public Pfn Pfn { get; }

    /// <summary>Level of the entry where the walk ended.</summary>
    public PageLevel Level => (PageLevel)_level;

    /// <summary>The permissions of the leaf; none if there is no leaf.</summary>
    public Access Access => (Access)_access;

    /// <summary>Is there a leaf that hardware can use?</summary>
    public bool IsPresent => (_flags & Flags.Present) != 0;

    /// <summary>Was the leaf used since its accessed bit was last cleared?</summary>
    public bool IsAccessed => (_flags & Flags.Accessed) != 0;

    /// <summary>May the leaf have been written since its dirty bit was last cleared?</summary>
    public bool IsDirty => (_flags & Flags.Dirty) != 0;

    /// <summary>
    /// Is the leaf write-protected by the table's owner, so that <see cref="SecondStageTable.MakeWritable"/> can
    /// repair it?
    /// </summary>
    public bool IsWriteProtected => (_flags & Flags.WriteProtected) != 0;

    /// <summary>Does the leaf permit all of <paramref name="access"/>?</summary>
    public bool Permits(Access access) => IsPresent && ((Access)_access & access) == access;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static WalkResult Of<TFormat>(ulong pte, PageLevel level, Gfn gfn)
        where TFormat : struct, IPteFormat
    {
        if (TFormat.Classify(pte, level) != PteKind.Leaf)
        {
            return new WalkResult(pte, default, level, Access.None, Flags.None);
        }
        var pfn = TFormat.FrameOf(pte).Plus(gfn.Value & (level.Pages() - 1));
        var flags =
            Flags.Present
            | (TFormat.IsAccessed(pte) ? Flags.Accessed : Flags.None)
            | (TFormat.IsDirty(pte) ? Flags.Dirty : Flags.None)
            | (TFormat.IsWriteProtected(pte) ? Flags.WriteProtected : Flags.None);
        return new WalkResult(pte, pfn, level, TFormat.AccessOf(pte), flags);
    }
}
