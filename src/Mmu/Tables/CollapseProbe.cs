namespace Userfault.Mmu;

// Checks whether one leaf could replace a table and everything below it, and constructs that leaf.
internal unsafe struct CollapseProbe<TFormat>
    where TFormat : struct, IPteFormat
{
    private bool _any;
    private bool _anyAccessed;
    private bool _isWriteProtected;
    private Access _access;

    // First frame of the one leaf.
    public Pfn Frame { get; private set; }

    // Do all leaves below continue one run of frames with one set of permissions, so that one leaf can replace the
    // table? Gaps are allowed; an empty table, or a leaf between break and make, is not.
    public bool Covers(ulong* table, PageLevel level) =>
        Continues(table, level, 0) && _any && Frame.IsAligned(level + 1);

    public readonly ulong MakeLeaf(PageLevel level)
    {
        // Dirty if writable: a vCPU may be writing through the old table at this very moment.
        var leaf = TFormat.MakeLeaf(Frame, _access, level);
        leaf = TFormat.Touch(leaf, _access & (Access.Read | Access.Write));
        if (_isWriteProtected)
        {
            leaf = TFormat.WriteProtect(leaf);
        }
        return _anyAccessed ? leaf : TFormat.ClearAccessed(leaf);
    }

    private bool Continues(ulong* table, PageLevel level, ulong offset)
    {
        for (var i = 0; i < PageLevels.EntriesPerTable; i++, offset += level.Pages())
        {
            var pte = Volatile.Read(ref table[i]);
            var fits = TFormat.Classify(pte, level) switch
            {
                PteKind.Empty => true,
                PteKind.Leaf => Fits(pte, offset),
                PteKind.Table => Continues((ulong*)TFormat.TableOf(pte), level - 1, offset),
                _ => false,
            };
            if (!fits)
            {
                return false;
            }
        }
        return true;
    }

    private bool Fits(ulong pte, ulong offset)
    {
        var frame = new Pfn(TFormat.FrameOf(pte).Value - offset);
        var writeProtected = TFormat.IsWriteProtected(pte);
        // A leaf that is write-protected for logging differs from its neighbours only until the next write.
        var access = TFormat.AccessOf(pte) | (writeProtected ? Access.Write : 0);
        if (!_any)
        {
            // The kernel copies the first leaf (make_huge_spte): it decides whether the large one is protected.
            (_any, Frame, _access, _isWriteProtected) = (true, frame, access, writeProtected);
        }
        _anyAccessed |= TFormat.IsAccessed(pte);
        return frame == Frame && access == _access;
    }
}
