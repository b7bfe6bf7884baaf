namespace Userfault.Mmu.Tests.Tables;

// What a second-stage table means, without a table: a dictionary of leaves by their first gfn. Knows nothing of bits,
// pages of entries, batches or readers.
internal sealed class NaiveTable(bool isArm)
{
    private readonly Dictionary<ulong, NaiveLeaf> _leaves = [];
    private readonly Dictionary<ulong, int> _small = [];

    public int Count => _leaves.Count;

    public IEnumerable<NaiveLeaf> InOrder => _leaves.Values.OrderBy(leaf => leaf.Start);

    public NaiveLeaf? Find(ulong gfn)
    {
        for (var level = PageLevel.Size4K; level <= PageLevel.Size1G; level++)
        {
            if (_leaves.TryGetValue(gfn & ~(level.Pages() - 1), out var leaf) && leaf.Level == level)
            {
                return leaf;
            }
        }
        return null;
    }

    public List<NaiveLeaf> Within(ulong start, ulong end)
    {
        var found = new List<NaiveLeaf>();
        while (start < end)
        {
            var leaf = Find(start);
            if (leaf != null)
            {
                found.Add(leaf);
            }
            var chunkEnd = (start | 511) + 1;
            start = leaf?.End ?? (_small.ContainsKey(start >> 9) ? start + 1 : chunkEnd);
        }
        return found;
    }

    public void Map(ulong gfn, ulong pfn, Access access, PageLevel level)
    {
        var old = Find(gfn);
        if (old != null && old.Level >= level && old.Pfn + (gfn - old.Start) == pfn && (old.Access & access) == access)
        {
            return;
        }
        if (old != null && old.Level > level)
        {
            if (isArm)
            {
                Remove(old);
            }
            while (Find(gfn) is { } larger && larger.Level > level)
            {
                Split(larger);
            }
            old = Find(gfn);
        }
        if (old != null && old.Level == level && old.Pfn == pfn)
        {
            var relaxed = old.Access | access;
            var writes = (access & Access.Write) != 0;
            Put(
                old with
                {
                    Access = relaxed,
                    WriteProtected = old.WriteProtected && (relaxed & Access.Write) == 0,
                    Dirty = old.Dirty || (isArm && writes),
                }
            );
            return;
        }
        Zap(gfn, gfn + level.Pages());
        Put(Fresh(gfn, pfn, access, level));
    }

    public NaiveLeaf? Unmap(ulong gfn)
    {
        var leaf = Find(gfn);
        if (leaf != null)
        {
            Remove(leaf);
        }
        return leaf;
    }

    public long Zap(ulong start, ulong end)
    {
        var leaves = Within(start, end);
        leaves.ForEach(Remove);
        return leaves.Count;
    }

    public void Split(NaiveLeaf leaf)
    {
        Remove(leaf);
        var level = leaf.Level - 1;
        for (var offset = 0UL; offset < leaf.Level.Pages(); offset += level.Pages())
        {
            Put(leaf with { Start = leaf.Start + offset, Level = level, Pfn = leaf.Pfn + offset });
        }
    }

    public bool Split(ulong start, ulong end, PageLevel target)
    {
        var large = Within(start, end).FindAll(leaf => leaf.Level > target);
        foreach (var leaf in large)
        {
            Split(leaf);
            Split(Math.Max(start, leaf.Start), Math.Min(end, leaf.End), target);
        }
        return large.Count > 0;
    }

    public bool Collapse(ulong gfn, PageLevel level)
    {
        var start = gfn & ~(level.Pages() - 1);
        var leaves = Within(start, start + level.Pages());
        if (leaves.Count == 0 || leaves[0].Level >= level)
        {
            return false;
        }
        static Access Potential(NaiveLeaf leaf) => leaf.Access | (leaf.WriteProtected ? Access.Write : 0);
        var pfn = leaves[0].Pfn - (leaves[0].Start - start);
        var access = Potential(leaves[0]);
        if (
            (pfn & (level.Pages() - 1)) != 0
            || !leaves.TrueForAll(leaf => leaf.Pfn - pfn == leaf.Start - start && Potential(leaf) == access)
        )
        {
            return false;
        }
        leaves.ForEach(Remove);
        var writable = (access & Access.Write) != 0;
        var writeProtected = leaves[0].WriteProtected;
        Put(
            new NaiveLeaf(start, level, pfn, writeProtected ? access & ~Access.Write : access)
            {
                Accessed = leaves.Exists(leaf => leaf.Accessed),
                Dirty = writable && !(isArm && writeProtected),
                WriteProtected = writeProtected,
            }
        );
        return true;
    }

    public bool Collapse(ulong start, ulong end, PageLevel largest)
    {
        var any = false;
        for (var level = largest; level > PageLevel.Size4K; level--)
        {
            var first = (start + level.Pages() - 1) & ~(level.Pages() - 1);
            for (; first + level.Pages() <= end; first += level.Pages())
            {
                any |= Collapse(first, level);
            }
        }
        return any;
    }

    public bool DropTables(ulong start, ulong end, PageLevel largest)
    {
        var any = false;
        for (var level = largest; level > PageLevel.Size4K; level--)
        {
            var first = (start + level.Pages() - 1) & ~(level.Pages() - 1);
            for (; first + level.Pages() <= end; first += level.Pages())
            {
                var leaves = Within(first, first + level.Pages());
                if (leaves.TrueForAll(leaf => leaf.Level < level))
                {
                    any |= leaves.Count > 0;
                    leaves.ForEach(Remove);
                }
            }
        }
        return any;
    }

    public bool WriteProtect(NaiveLeaf leaf)
    {
        if ((leaf.Access & Access.Write) == 0)
        {
            return false;
        }
        // arm64 says dirty with the write permission itself.
        Put(leaf with { Access = leaf.Access & ~Access.Write, WriteProtected = true, Dirty = leaf.Dirty && !isArm });
        return true;
    }

    public bool MakeWritable(ulong gfn)
    {
        var leaf = Find(gfn);
        if (leaf is not { WriteProtected: true })
        {
            return false;
        }
        Put(leaf with { Access = leaf.Access | Access.Write, WriteProtected = false, Dirty = leaf.Dirty || isArm });
        return true;
    }

    public bool TryAccess(ulong gfn, Access access)
    {
        var leaf = Find(gfn);
        if (leaf == null || (leaf.Access & access) != access)
        {
            return false;
        }
        Put(leaf with { Accessed = true, Dirty = leaf.Dirty || (access & Access.Write) != 0 });
        return true;
    }

    public bool ClearDirty(NaiveLeaf leaf)
    {
        Put(leaf with { Dirty = false });
        return leaf.Dirty;
    }

    public bool ClearAccessed(NaiveLeaf leaf)
    {
        Put(leaf with { Accessed = false });
        return leaf.Accessed;
    }

    // Tables that a radix tree of 512-entry nodes needs for these leaves, without the root.
    public int TablesBelow(PageLevel root)
    {
        var tables = new HashSet<(PageLevel, ulong)>();
        foreach (var leaf in _leaves.Values)
        {
            for (var level = leaf.Level + 1; level <= root; level++)
            {
                tables.Add((level, leaf.Start >> level.PagesShift()));
            }
        }
        return tables.Count;
    }

    public long CountOf(PageLevel level) => _leaves.Values.Count(leaf => leaf.Level == level);

    private NaiveLeaf Fresh(ulong gfn, ulong pfn, Access access, PageLevel level) =>
        new(gfn, level, pfn, access)
        {
            // arm64 sets the access flag when it maps, and writable means dirty until DBM is armed.
            Accessed = isArm,
            Dirty = isArm && (access & Access.Write) != 0,
        };

    private void Put(NaiveLeaf leaf)
    {
        if (leaf.Level == PageLevel.Size4K && !_leaves.ContainsKey(leaf.Start))
        {
            _small[leaf.Start >> 9] = _small.GetValueOrDefault(leaf.Start >> 9) + 1;
        }
        _leaves[leaf.Start] = leaf;
    }

    private void Remove(NaiveLeaf leaf)
    {
        _leaves.Remove(leaf.Start);
        if (leaf.Level == PageLevel.Size4K && --_small[leaf.Start >> 9] == 0)
        {
            _small.Remove(leaf.Start >> 9);
        }
    }
}
