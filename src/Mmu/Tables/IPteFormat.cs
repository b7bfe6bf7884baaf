namespace Userfault.Mmu;

/// <summary>
/// The bits of one second-stage format. All differences between architectures are here; the walk, the operations and
/// the races are the same for all of them and are in <see cref="SecondStageTable{TFormat}"/>. All methods are pure.
/// </summary>
public interface IPteFormat
{
    /// <summary>The format's name in a dump.</summary>
    static abstract string Name { get; }

    /// <summary>Largest frame number that an entry can hold, in pages.</summary>
    static abstract ulong MaxFrame { get; }

    /// <summary>
    /// Must a valid entry be made invalid, and the TLBs be flushed, before another translation takes its place?
    /// (arm64; x86 writes the new entry at once and flushes afterwards.)
    /// </summary>
    static abstract bool NeedsBreakBeforeMake { get; }

    /// <summary>Shape of the table for a guest physical address of <paramref name="addressBits"/> bits.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The format has no table of that width.</exception>
    static abstract TableGeometry GeometryFor(int addressBits);

    /// <summary>
    /// Does <paramref name="pte"/>, found above the last level, lead to a table? This is the test of the walk.
    /// </summary>
    static abstract bool IsTable(ulong pte);

    /// <summary>Classifies <paramref name="pte"/>, found at <paramref name="level"/>.</summary>
    static abstract PteKind Classify(ulong pte, PageLevel level);

    /// <summary>A new leaf: not accessed, and not dirty if the format can express that.</summary>
    static abstract ulong MakeLeaf(Pfn pfn, Access access, PageLevel level);

    /// <summary>
    /// An entry that leads to the table at native address <paramref name="table"/> (bytes, page aligned).
    /// </summary>
    static abstract ulong MakeTable(ulong table);

    /// <summary>Native address, in bytes, of the table that a <see cref="PteKind.Table"/> entry leads to.</summary>
    static abstract ulong TableOf(ulong pte);

    /// <summary>First frame that a leaf maps.</summary>
    static abstract Pfn FrameOf(ulong pte);

    /// <summary>The permissions of a leaf.</summary>
    static abstract Access AccessOf(ulong pte);

    /// <summary>Was the leaf used since its accessed bit was last cleared?</summary>
    static abstract bool IsAccessed(ulong pte);

    /// <summary>May the leaf have been written since its dirty bit was last cleared?</summary>
    static abstract bool IsDirty(ulong pte);

    /// <summary>
    /// Did <see cref="WriteProtect"/> remove the write permission? Then it may be restored without the host.
    /// </summary>
    static abstract bool IsWriteProtected(ulong pte);

    /// <summary>
    /// The leaf after hardware used it for <paramref name="access"/>: accessed, and dirty if it was written.
    /// </summary>
    static abstract ulong Touch(ulong pte, Access access);

    /// <summary>The leaf with its accessed bit cleared.</summary>
    static abstract ulong ClearAccessed(ulong pte);

    /// <summary>The leaf with its dirty state cleared: <see cref="IsDirty"/> detects the next write.</summary>
    static abstract ulong ClearDirty(ulong pte);

    /// <summary>
    /// The leaf without write permission, marked as having had it. A leaf without the permission is returned unchanged.
    /// </summary>
    static abstract ulong WriteProtect(ulong pte);

    /// <summary>The leaf with the permissions of <paramref name="access"/> added to its own.</summary>
    static abstract ulong Relax(ulong pte, Access access);

    /// <summary>
    /// The leaf of the next lower level that maps part <paramref name="index"/> (0..511) of the leaf of
    /// <paramref name="level"/>.
    /// </summary>
    static abstract ulong SplitChild(ulong pte, PageLevel level, int index);

    /// <summary>The leaf in its broken form.</summary>
    static abstract ulong Break(ulong pte);

    /// <summary>The leaf that a broken entry was.</summary>
    static abstract ulong Unbreak(ulong pte);

    /// <summary>Name of a level in a dump.</summary>
    static abstract string LevelName(PageLevel level);

    /// <summary>Attributes of a leaf in a dump, of constant width.</summary>
    static abstract string Describe(ulong pte, PageLevel level);
}
