namespace Userfault.Mmu.Tests.Tables;

// The operations: each with random arguments, on the table and on the dictionary.
internal sealed partial class ModelRun
{
    private void Map()
    {
        var level = _random.Next(40) switch
        {
            0 => PageLevel.Size1G,
            < 6 => PageLevel.Size2M,
            _ => PageLevel.Size4K,
        };
        var gfn = PickGfn() & ~(level.Pages() - 1);
        // Mostly the frames that a run of host memory would have, so that tables can collapse.
        var pfn = gfn - _base + (_random.Next(30) == 0 ? 0x80_0000UL : 0x40_0000UL);
        var access = (_random.Next(8)) switch
        {
            0 => Mmu.Access.Read,
            1 => Mmu.Access.Read | Mmu.Access.Execute,
            _ => Mmu.Access.Read | Mmu.Access.Write | Mmu.Access.Execute,
        };
        Last = $"map gfn {gfn:x} pfn {pfn:x} {access} {level}";
        Note($"map {Complete(() => _table.Map(new Gfn(gfn), new Pfn(pfn), access, level))} {level}", true);
        _naive.Map(gfn, pfn, access, level);
        CompareAt(gfn);
    }

    private void Unmap()
    {
        var gfn = PickGfn();
        Last = $"unmap {gfn:x}";
        var expected = _naive.Unmap(gfn);
        Note("unmap", expected != null);
        Compare(expected, gfn, _table.Unmap(new Gfn(gfn)));
        CompareAt(gfn);
    }

    private void Access()
    {
        var gfn = PickGfn();
        var access = (Access)(1 << _random.Next(3));
        Last = $"access {gfn:x} {access}";
        var permitted = _naive.TryAccess(gfn, access);
        Assert.Equal(permitted, _table.TryAccess(new Gfn(gfn), access, out var result));
        Note("access", permitted);
        Compare(_naive.Find(gfn), gfn, result);
    }

    private void Zap()
    {
        var (start, end) = PickRange();
        Last = $"zap {start:x}-{end:x}";
        InBatches(start, end, (ref RangeCursor c, int budget) => _table.Zap(ref c, budget), ZapNaive, interleave: true);
    }

    private void ZapAll()
    {
        Last = "zap all";
        var (start, end) = (_base, _base + Window);
        InBatches(start, end, (ref RangeCursor c, int b) => _table.Zap(ref c, b), ZapNaive, interleave: false);
    }

    private void ZapNaive(ulong start, ulong end, BatchResult result)
    {
        var zapped = _naive.Within(start, end);
        Assert.Equal(_naive.Zap(start, end), result.Leaves);
        // A table that goes whole is flushed whole: more than its leaves, never less.
        var hull = Hull(zapped);
        Assert.Equal(hull, hull.Intersect(result.Flush) with { Start = hull.Start });
        Note("zap", zapped.Count > 0);
    }

    private void SplitLeaf()
    {
        var gfn = PickGfn();
        Last = $"split leaf {gfn:x}";
        var change = Complete(() => _table.SplitLeaf(new Gfn(gfn)));
        var leaf = _naive.Find(gfn);
        var splits = leaf is { Level: > PageLevel.Size4K };
        Assert.Equal(splits ? TableChange.Replaced : TableChange.None, change);
        if (splits)
        {
            _naive.Split(leaf!);
        }
        Note("split leaf", splits);
    }

    private void Split()
    {
        var (start, end) = PickRange();
        var target = end - start > 4096 ? PageLevel.Size2M : PageLevel.Size4K;
        Last = $"split {start:x}-{end:x} to {target}";
        ToTheEnd(start, end, (ref RangeCursor c, int budget) => _table.Split(ref c, budget, target), mayFlush: _isArm);
        Note("split", _naive.Split(start, end, target));
    }

    private void CollapseOne()
    {
        var gfn = PickGfn();
        var level = _random.Next(4) == 0 ? PageLevel.Size1G : PageLevel.Size2M;
        Last = $"collapse {gfn:x} to {level}";
        var change = Complete(() => _table.Collapse(new Gfn(gfn), level));
        var collapses = _naive.Collapse(gfn, level);
        Assert.Equal(collapses ? TableChange.Replaced : TableChange.None, change);
        Note($"collapse to {level}", collapses);
    }

    private void CollapseRange()
    {
        var (start, end) = PickRange();
        _hostLevel = (PageLevel)_random.Next(1, 4);
        Last = $"collapse {start:x}-{end:x} where the host has {_hostLevel}";
        ToTheEnd(start, end, (ref RangeCursor c, int budget) => _table.Collapse(ref c, budget, this), mayFlush: true);
        Note("collapse range", _naive.Collapse(start, end, _hostLevel));
    }

    private void DropTables()
    {
        var (start, end) = PickRange();
        _hostLevel = (PageLevel)_random.Next(1, 4);
        Last = $"drop tables of {start:x}-{end:x} where the host has {_hostLevel}";
        ToTheEnd(start, end, (ref RangeCursor c, int budget) => _table.DropTables(ref c, budget, this), mayFlush: true);
        Note("drop tables", _naive.DropTables(start, end, _hostLevel));
    }

    private void WriteProtectRange()
    {
        var (start, end) = PickRange();
        var min = (PageLevel)_random.Next(1, 4);
        Last = $"write-protect {start:x}-{end:x} from {min}";
        InBatches(
            start,
            end,
            (ref RangeCursor c, int b) => _table.WriteProtect(ref c, b, min),
            (from, to, result) =>
            {
                var leaves = _naive.Within(from, to).Where(leaf => leaf.Level >= min);
                var changed = leaves.Where(_naive.WriteProtect).ToList();
                Assert.Equal(changed.Count, result.Leaves);
                Assert.Equal(Hull(changed), result.Flush);
                Note("write-protect", changed.Count > 0);
            },
            interleave: true
        );
    }

    private void WriteProtectMask()
    {
        var (start, mask) = (PickGfn(), (ulong)_random.NextInt64() & (ulong)_random.NextInt64());
        var max = _random.Next(2) == 0 ? PageLevel.Size4K : PageLevel.Size1G;
        Last = $"write-protect {start:x} mask {mask:x} up to {max}";
        var result = _table.WriteProtect(new Gfn(start), mask, max);
        var changed = Masked(start, mask).Where(leaf => leaf.Level <= max).Where(_naive.WriteProtect).ToList();
        Assert.Equal(changed.Count, result.Leaves);
        Assert.Equal(Hull(changed), result.Flush);
        Note("write-protect mask", changed.Count > 0);
    }

    private void MakeWritable()
    {
        var gfn = PickGfn();
        Last = $"make writable {gfn:x}";
        var repaired = _naive.MakeWritable(gfn);
        Assert.Equal(repaired, _table.MakeWritable(new Gfn(gfn)));
        Note("make writable", repaired);
    }

    private void TestAndClearDirty()
    {
        var (start, mask) = (PickGfn(), (ulong)_random.NextInt64() | (ulong)_random.NextInt64());
        Last = $"test and clear dirty {start:x} mask {mask:x}";
        var dirty = 0UL;
        foreach (var leaf in Masked(start, mask).Where(leaf => leaf.Dirty))
        {
            for (var i = 0; i < 64; i++)
            {
                dirty |= start + (ulong)i >= leaf.Start && start + (ulong)i < leaf.End ? 1UL << i : 0;
            }
            if (leaf.Level == PageLevel.Size4K)
            {
                _naive.ClearDirty(leaf);
            }
        }
        Assert.Equal(dirty & mask, _table.TestAndClearDirty(new Gfn(start), mask));
        Note("test and clear dirty", dirty != 0);
    }

    private void ClearRange()
    {
        var (start, end) = PickRange();
        var dirty = _random.Next(2) == 0;
        Last = $"clear {(dirty ? "dirty" : "accessed")} {start:x}-{end:x}";
        Func<NaiveLeaf, bool> clear = dirty ? _naive.ClearDirty : _naive.ClearAccessed;
        InBatches(
            start,
            end,
            (ref RangeCursor c, int b) => dirty ? _table.ClearDirty(ref c, b) : _table.ClearAccessed(ref c, b),
            (from, to, result) =>
            {
                var changed = _naive.Within(from, to).Where(clear).ToList();
                Assert.Equal(changed.Count, result.Leaves);
                Assert.Equal(dirty ? Hull(changed) : default, result.Flush);
                Note(dirty ? "clear dirty" : "clear accessed", changed.Count > 0);
            },
            interleave: true
        );
    }
}
