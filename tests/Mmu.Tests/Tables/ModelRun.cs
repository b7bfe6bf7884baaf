namespace Userfault.Mmu.Tests.Tables;

// One run of random operations on a table and on the dictionary, compared after each.
internal sealed class ModelRun : IDisposable, IMappingLevels
{
    private const int MaxLeaves = 6000;
    private static readonly ulong Window = 3 * PageLevel.Size1G.Pages();

    private readonly Random _random;
    private readonly SecondStageTable _table;
    private readonly NaiveTable _naive;
    private readonly bool _isArm;
    private readonly ulong _base;
    private readonly Dictionary<string, int> _effects = [];
    private PageLevel _hostLevel;

    public ModelRun(Architecture architecture, int bits, ulong firstGfn, int seed)
    {
        _random = new Random(seed);
        _isArm = architecture == Architecture.Arm64;
        _table = SecondStageTable.Create(architecture, bits, new TableOptions { PoisonFreedPages = true });
        _naive = new NaiveTable(_isArm);
        _base = firstGfn;
    }

    public string Last { get; private set; } = "";

    public PageLevel MaxMappingLevel(Gfn gfn) => _hostLevel;

    public void Step()
    {
        switch (_random.Next(100))
        {
            case < 38: Map(); break;
            case < 46: Unmap(); break;
            case < 66: Access(); break;
            case < 71: Zap(); break;
            case < 75: SplitLeaf(); break;
            case < 78: Split(); break;
            case < 82: CollapseOne(); break;
            case < 84: CollapseRange(); break;
            case < 87: WriteProtectRange(); break;
            case < 90: WriteProtectMask(); break;
            case < 94: MakeWritable(); break;
            case < 97: TestAndClearDirty(); break;
            default: ClearRange(); break;
        }
        if (_naive.Count > MaxLeaves)
        {
            ZapAll();
        }
        CompareAt(PickGfn());
    }

    public void CompareAll()
    {
        var visitor = new LeafCollector { Leaves = [] };
        _table.Visit(new GfnRange(new Gfn(0), ulong.MaxValue), ref visitor);
        Assert.Equal(_naive.InOrder, visitor.Leaves);
        var counters = _table.Counters;
        Assert.Equal(_naive.CountOf(PageLevel.Size4K), counters.Leaves4K);
        Assert.Equal(_naive.CountOf(PageLevel.Size2M), counters.Leaves2M);
        Assert.Equal(_naive.CountOf(PageLevel.Size1G), counters.Leaves1G);
        Assert.Equal(_naive.TablesBelow(_table.Geometry.RootLevel) + _table.Geometry.RootTables, counters.TablePages);
    }

    public void Finish()
    {
        CompareAll();
        ZapAll();
        CompareAll();
        // A run in which an operation never did anything would prove nothing about it.
        Assert.All(_effects, effect => Assert.True(effect.Value >= 5, $"{effect.Key} only {effect.Value} times"));
        Assert.Equal(_isArm ? 22 : 25, _effects.Count);
        Assert.Equal(0, _table.Reclaim());
        Assert.Equal(_table.Geometry.RootTables, _table.Counters.TablePages);
    }

    public void Dispose() => _table.Dispose();

    private ulong PickGfn()
    {
        // Few places, so that operations meet: 3 GiB, in each the first, second and last 2 MiB, in each any page.
        ReadOnlySpan<ulong> chunks = [0, 1, 511];
        var gfn = ((ulong)_random.Next(3) << 18) + (chunks[_random.Next(3)] << 9) + (ulong)_random.Next(512);
        return _base + gfn;
    }

    private (ulong Start, ulong End) PickRange()
    {
        if (_random.Next(8) == 0)
        {
            var from = (ulong)_random.NextInt64((long)Window);
            return (_base + from, _base + from + (ulong)_random.NextInt64((long)(Window - from)) + 1);
        }
        var start = PickGfn();
        var pages = 1UL << _random.Next(12);
        if (_random.Next(2) == 0)
        {
            (start, pages) = (start & ~511UL, (pages + 511) & ~511UL);
        }
        return (start, Math.Min(start + pages, _base + Window));
    }

    private void Map()
    {
        var level = _random.Next(40) switch { 0 => PageLevel.Size1G, < 6 => PageLevel.Size2M, _ => PageLevel.Size4K };
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
        InBatches(start, end, (ref RangeCursor c, int budget) => _table.Zap(ref c, budget), ZapNaive, interleave: false);
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
                var changed = _naive.Within(from, to).Where(leaf => leaf.Level >= min && _naive.WriteProtect(leaf)).ToList();
                Assert.Equal(changed.Count, result.Leaves);
                Assert.Equal(Hull(changed), result.Flush);
                Note("write-protect", changed.Count > 0);
            },
            interleave: true);
    }

    private void WriteProtectMask()
    {
        var (start, mask) = (PickGfn(), (ulong)_random.NextInt64() & (ulong)_random.NextInt64());
        Last = $"write-protect {start:x} mask {mask:x}";
        var result = _table.WriteProtect(new Gfn(start), mask);
        var changed = Masked(start, mask).Where(_naive.WriteProtect).ToList();
        Assert.Equal(changed.Count, result.Leaves);
        Assert.Equal(Hull(changed), result.Flush);
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
        foreach (var leaf in Masked(start, mask).Where(_naive.ClearDirty))
        {
            for (var i = 0; i < 64; i++)
            {
                dirty |= start + (ulong)i >= leaf.Start && start + (ulong)i < leaf.End ? 1UL << i : 0;
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
            interleave: true);
    }

    private List<NaiveLeaf> Masked(ulong start, ulong mask) =>
        [.. Enumerable.Range(0, 64)
            .Where(i => (mask >> i & 1) != 0)
            .Select(i => _naive.Find(start + (ulong)i))
            .OfType<NaiveLeaf>()
            .Distinct()];

    private static GfnRange Hull(List<NaiveLeaf> leaves) => leaves.Count == 0
        ? default
        : GfnRange.Between(new Gfn(leaves.Min(leaf => leaf.Start)), new Gfn(leaves.Max(leaf => leaf.End)));

    // arm64 answers Broken once and is done the second time; x86 is done at once.
    private TableChange Complete(Func<ChangeResult> operation)
    {
        var result = operation();
        if (result.Change == TableChange.Broken)
        {
            Assert.True(_isArm && result.NeedsFlush);
            Assert.False(_table.Walk(result.Flush.Start).IsPresent);
            Assert.False(_table.Walk(result.Flush.End.Plus(ulong.MaxValue)).IsPresent);
            result = operation();
            Assert.NotEqual(TableChange.Broken, result.Change);
            Assert.False(result.NeedsFlush);
        }
        return result.Change;
    }

    // Runs batches of random budgets and has each compared, sometimes with other changes between two of them.
    private void InBatches(ulong start, ulong end, Batch batch, Action<ulong, ulong, BatchResult> compare, bool interleave)
    {
        var cursor = new RangeCursor(GfnRange.Between(new Gfn(start), new Gfn(end)));
        var what = Last;
        while (!cursor.IsDone)
        {
            var from = cursor.Next.Value;
            var result = batch(ref cursor, 1 << _random.Next(11));
            Assert.True(cursor.Next.Value > from, "no progress");
            compare(from, cursor.Next.Value, result);
            if (interleave && _random.Next(2) == 0)
            {
                Map();
                Unmap();
                Last = what;
            }
        }
    }

    // Runs batches to the end, with the flush that break-before-make asks for between them (there is nothing to flush here).
    private void ToTheEnd(ulong start, ulong end, Batch batch, bool mayFlush)
    {
        var cursor = new RangeCursor(GfnRange.Between(new Gfn(start), new Gfn(end)));
        for (var rounds = 0; !cursor.IsDone; rounds++)
        {
            Assert.True(!batch(ref cursor, 1 << _random.Next(11)).NeedsFlush || mayFlush);
            Assert.True(rounds < 10_000, "no progress");
        }
    }

    private void Note(string what, bool happened) => _effects[what] = _effects.GetValueOrDefault(what) + (happened ? 1 : 0);

    private void CompareAt(ulong gfn) => Compare(_naive.Find(gfn), gfn, _table.Walk(new Gfn(gfn)));

    private static void Compare(NaiveLeaf? expected, ulong gfn, in WalkResult found)
    {
        Assert.Equal(expected != null, found.IsPresent);
        if (expected != null)
        {
            Assert.Equal(expected with { Pfn = expected.Pfn + (gfn - expected.Start) }, LeafCollector.Of(expected.Start, found));
        }
    }

    private delegate BatchResult Batch(ref RangeCursor cursor, int budget);
}
