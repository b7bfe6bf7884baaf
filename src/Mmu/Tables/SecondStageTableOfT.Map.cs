namespace Userfault.Mmu;

// Operations on one gfn: map, unmap, split, collapse, make writable.
public sealed unsafe partial class SecondStageTable<TFormat>
{
    /// <inheritdoc/>
    public override ChangeResult Map(Gfn gfn, Pfn pfn, Access access, PageLevel level)
    {
        CheckMap(gfn, pfn, access, level);
        var table = _root;
        for (var current = Geometry.RootLevel; ; current--)
        {
            var pointer = table + IndexIn(current, gfn.Value);
            var entry = new TableEntry(table, pointer, *pointer, current, gfn.AlignDown(current).Value);
            if (current == level)
            {
                return Install(entry, pfn, access);
            }
            switch (TFormat.Classify(entry.Pte, current))
            {
                case PteKind.Table:
                    table = (ulong*)TFormat.TableOf(entry.Pte);
                    break;
                case PteKind.Empty:
                    table = LinkNewTable(entry);
                    break;
                case PteKind.Broken:
                    // The flush that the break required has been done: make.
                    table = SplitEntry(entry);
                    break;
                default:
                    if (MapsAlready(entry, gfn, pfn, access))
                    {
                        return default;
                    }
                    if (TFormat.NeedsBreakBeforeMake)
                    {
                        // As in KVM on arm64, the larger leaf is removed as a whole; its other pages fault again.
                        RemoveLeaf(entry);
                        return new ChangeResult(TableChange.Broken, entry.Range);
                    }
                    table = SplitEntry(entry);
                    break;
            }
        }
    }

    /// <inheritdoc/>
    public override WalkResult Unmap(Gfn gfn)
    {
        if (gfn.Value >= _limit)
        {
            return Walk(gfn);
        }
        var path = stackalloc ulong*[(int)PageLevel.Size256T + 1];
        var table = _root;
        for (var level = Geometry.RootLevel; ; level--)
        {
            path[(int)level] = table;
            var pointer = table + IndexIn(level, gfn.Value);
            var entry = new TableEntry(table, pointer, Volatile.Read(ref *pointer), level, gfn.AlignDown(level).Value);
            switch (TFormat.Classify(entry.Pte, level))
            {
                case PteKind.Table:
                    table = (ulong*)TFormat.TableOf(entry.Pte);
                    continue;
                case PteKind.Empty:
                    return WalkResult.Of<TFormat>(entry.Pte, level, gfn);
                default:
                    var last = RemoveLeaf(entry);
                    RemoveEmptyTables(path, level, gfn.Value);
                    return WalkResult.Of<TFormat>(last, level, gfn);
            }
        }
    }

    /// <inheritdoc/>
    public override ChangeResult SplitLeaf(Gfn gfn)
    {
        if (!TryFindEntry(gfn, PageLevel.Size4K, out var entry) || entry.Level == PageLevel.Size4K)
        {
            return default;
        }
        switch (TFormat.Classify(entry.Pte, entry.Level))
        {
            case PteKind.Broken:
                SplitEntry(entry);
                return new ChangeResult(TableChange.Replaced, default);
            case PteKind.Leaf when TFormat.NeedsBreakBeforeMake:
                BreakLeaf(entry);
                return new ChangeResult(TableChange.Broken, entry.Range);
            case PteKind.Leaf:
                SplitEntry(entry);
                return new ChangeResult(TableChange.Replaced, default);
            default:
                return default;
        }
    }

    /// <inheritdoc/>
    public override ChangeResult Collapse(Gfn gfn, PageLevel level)
    {
        if (level == PageLevel.Size4K || level > Geometry.LargestLeaf)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, "nothing collapses to this level");
        }
        if (!TryFindEntry(gfn, level, out var entry) || entry.Level != level)
        {
            return default;
        }
        if (TFormat.Classify(entry.Pte, level) == PteKind.Broken)
        {
            MakeBroken(entry);
            return new ChangeResult(TableChange.Replaced, default);
        }
        return TryCollapseEntry(entry)
            ? new ChangeResult(TFormat.NeedsBreakBeforeMake ? TableChange.Broken : TableChange.Replaced, entry.Range)
            : default;
    }

    /// <inheritdoc/>
    public override bool MakeWritable(Gfn gfn)
    {
        var entry = Find(gfn.Value, out var pte, out var level);
        if (TFormat.Classify(pte, level) != PteKind.Leaf || !TFormat.IsWriteProtected(pte))
        {
            return false;
        }
        Update(entry, pte, new RelaxUpdate<TFormat>(Access.Write));
        return true;
    }

    // Hides the leaf from hardware and keeps its contents.
    internal void BreakLeaf(in TableEntry entry)
    {
        Update(entry.Pointer, entry.Pte, default(BreakUpdate<TFormat>));
        _leaves[(int)entry.Level]--;
    }

    // Turns a broken leaf into a leaf again.
    internal void MakeBroken(in TableEntry entry)
    {
        Volatile.Write(ref *entry.Pointer, TFormat.Unbreak(entry.Pte));
        _leaves[(int)entry.Level]++;
    }

    // Replaces a leaf, or a broken one, by a table of 512 smaller leaves.
    internal ulong* SplitEntry(in TableEntry entry)
    {
        var child = _pages.Allocate();
        var childLevel = entry.Level - 1;
        TablePages.InfoOf(child)->Used = PageLevels.EntriesPerTable;
        var pte = entry.Pte;
        while (true)
        {
            var isLeaf = TFormat.Classify(pte, entry.Level) == PteKind.Leaf;
            var leaf = isLeaf ? pte : TFormat.Unbreak(pte);
            for (var i = 0; i < PageLevels.EntriesPerTable; i++)
            {
                child[i] = TFormat.SplitChild(leaf, entry.Level, i);
            }
            // If a vCPU has used the leaf in the meantime, its accessed and dirty bits belong in the new leaves:
            // repeat.
            var seen = Interlocked.CompareExchange(ref *entry.Pointer, TFormat.MakeTable((ulong)child), pte);
            if (seen == pte)
            {
                _leaves[(int)entry.Level] -= isLeaf ? 1 : 0;
                _leaves[(int)childLevel] += PageLevels.EntriesPerTable;
                return child;
            }
            pte = seen;
        }
    }

    internal bool TryCollapseEntry(in TableEntry entry)
    {
        if (TFormat.Classify(entry.Pte, entry.Level) != PteKind.Table)
        {
            return false;
        }
        var probe = default(CollapseProbe<TFormat>);
        if (!probe.Covers((ulong*)TFormat.TableOf(entry.Pte), entry.Level - 1))
        {
            return false;
        }
        var leaf = probe.MakeLeaf(entry.Level);
        RemoveTable(entry, TFormat.NeedsBreakBeforeMake ? TFormat.Break(leaf) : leaf);
        return true;
    }

    private static bool MapsAlready(in TableEntry entry, Gfn gfn, Pfn pfn, Access access)
    {
        var found = WalkResult.Of<TFormat>(entry.Pte, entry.Level, gfn);
        return found.Pfn == pfn && found.Permits(access);
    }

    internal static void Update<TUpdate>(ulong* entry, ulong pte, TUpdate update)
        where TUpdate : struct, ILeafUpdate
    {
        while (true)
        {
            var next = update.Apply(pte);
            var seen = next == pte ? pte : Interlocked.CompareExchange(ref *entry, next, pte);
            if (seen == pte)
            {
                return;
            }
            pte = seen;
        }
    }

    private ChangeResult Install(in TableEntry entry, Pfn pfn, Access access)
    {
        var leaf = TFormat.MakeLeaf(pfn, access, entry.Level);
        var kind = TFormat.Classify(entry.Pte, entry.Level);
        if (kind is PteKind.Empty or PteKind.Broken)
        {
            Volatile.Write(ref *entry.Pointer, leaf);
            CountUsed(entry, kind == PteKind.Empty ? 1 : 0);
            _leaves[(int)entry.Level]++;
            return new ChangeResult(TableChange.Installed, default);
        }
        if (kind == PteKind.Leaf && TFormat.FrameOf(entry.Pte) == pfn)
        {
            if ((TFormat.AccessOf(entry.Pte) & access) == access)
            {
                return default;
            }
            Update(entry.Pointer, entry.Pte, new RelaxUpdate<TFormat>(access));
            return new ChangeResult(TableChange.Relaxed, default);
        }
        if (kind == PteKind.Table)
        {
            RemoveTable(entry, TFormat.NeedsBreakBeforeMake ? 0 : leaf);
        }
        else if (TFormat.NeedsBreakBeforeMake)
        {
            RemoveLeaf(entry);
        }
        else
        {
            Interlocked.Exchange(ref *entry.Pointer, leaf);
        }
        return new ChangeResult(TFormat.NeedsBreakBeforeMake ? TableChange.Broken : TableChange.Replaced, entry.Range);
    }

    // The entry of gfn at level, or the one above it at which the walk ends early.
    private bool TryFindEntry(Gfn gfn, PageLevel level, out TableEntry entry)
    {
        entry = default;
        if (gfn.Value >= _limit)
        {
            return false;
        }
        var table = _root;
        for (var current = Geometry.RootLevel; ; current--)
        {
            var pointer = table + IndexIn(current, gfn.Value);
            entry = new TableEntry(table, pointer, Volatile.Read(ref *pointer), current, gfn.AlignDown(current).Value);
            if (current == level || TFormat.Classify(entry.Pte, current) != PteKind.Table)
            {
                return true;
            }
            table = (ulong*)TFormat.TableOf(entry.Pte);
        }
    }

    // Removes the tables on the path to gfn that became empty, from `level` upwards.
    private void RemoveEmptyTables(ulong** path, PageLevel level, ulong gfn)
    {
        for (; (int)level != _rootLevel && TablePages.InfoOf(path[(int)level])->Used == 0; level++)
        {
            var parent = path[(int)level + 1];
            var pointer = parent + IndexIn(level + 1, gfn);
            RemoveTable(new TableEntry(parent, pointer, *pointer, level + 1, 0));
        }
    }

    private void CheckMap(Gfn gfn, Pfn pfn, Access access, PageLevel level)
    {
        if (level < PageLevel.Size4K || level > Geometry.LargestLeaf)
        {
            throw new ArgumentOutOfRangeException(nameof(level), level, "no leaf has this level");
        }
        if (!gfn.IsAligned(level) || gfn.Value >= _limit)
        {
            throw new ArgumentOutOfRangeException(nameof(gfn), gfn, "unaligned, or beyond the address width");
        }
        if (!pfn.IsAligned(level) || pfn.Value > TFormat.MaxFrame)
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, "unaligned, or beyond what an entry holds");
        }
        // Writable but not readable is a misconfiguration on EPT; KVM maps nothing unreadable on either architecture.
        const Access all = Access.Read | Access.Write | Access.Execute;
        if ((access & ~all) != 0 || (access & Access.Read) == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(access), access, "a leaf can at least be read");
        }
    }
}
