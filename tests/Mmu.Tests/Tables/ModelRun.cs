namespace Userfault.Mmu.Tests.Tables;

// One run of random operations on a table and on the dictionary, compared after each.
internal sealed partial class ModelRun : IDisposable, IMappingLevels
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
        _table = SecondStageTable.Create(architecture, bits, new TableOptions { PoisonFreedPages = seed % 2 == 0 });
        _naive = new NaiveTable(_isArm);
        _base = firstGfn;
    }

    public string Last { get; private set; } = "";

    public PageLevel MaxMappingLevel(Gfn gfn) => _hostLevel;

    public void Step()
    {
        switch (_random.Next(100))
        {
            case < 38:
                Map();
                break;
            case < 46:
                Unmap();
                break;
            case < 66:
                Access();
                break;
            case < 71:
                Zap();
                break;
            case < 75:
                SplitLeaf();
                break;
            case < 78:
                Split();
                break;
            case < 82:
                CollapseOne();
                break;
            case < 84:
                CollapseRange();
                break;
            case < 85:
                DropTables();
                break;
            case < 88:
                WriteProtectRange();
                break;
            case < 91:
                WriteProtectMask();
                break;
            case < 94:
                MakeWritable();
                break;
            case < 97:
                TestAndClearDirty();
                break;
            default:
                ClearRange();
                break;
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
        Assert.All(_effects, effect => Assert.True(effect.Value >= 3, $"{effect.Key} only {effect.Value} times"));
        Assert.Equal(_isArm ? 24 : 27, _effects.Count);
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

    private List<NaiveLeaf> Masked(ulong start, ulong mask) =>
        [
            .. Enumerable
                .Range(0, 64)
                .Where(i => (mask >> i & 1) != 0)
                .Select(i => _naive.Find(start + (ulong)i))
                .OfType<NaiveLeaf>()
                .Distinct(),
        ];

    private static GfnRange Hull(List<NaiveLeaf> leaves) =>
        leaves.Count == 0
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
    private void InBatches(
        ulong start,
        ulong end,
        Batch batch,
        Action<ulong, ulong, BatchResult> compare,
        bool interleave
    )
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

    // Runs batches to the end, with the flush that break-before-make asks for between them (there is nothing to flush
    // here).
    private void ToTheEnd(ulong start, ulong end, Batch batch, bool mayFlush)
    {
        var cursor = new RangeCursor(GfnRange.Between(new Gfn(start), new Gfn(end)));
        for (var rounds = 0; !cursor.IsDone; rounds++)
        {
            Assert.True(!batch(ref cursor, 1 << _random.Next(11)).NeedsFlush || mayFlush);
            Assert.True(rounds < 10_000, "no progress");
        }
    }

    private void Note(string what, bool happened) =>
        _effects[what] = _effects.GetValueOrDefault(what) + (happened ? 1 : 0);

    private void CompareAt(ulong gfn) => Compare(_naive.Find(gfn), gfn, _table.Walk(new Gfn(gfn)));

    private static void Compare(NaiveLeaf? expected, ulong gfn, in WalkResult found)
    {
        Assert.Equal(expected != null, found.IsPresent);
        if (expected != null)
        {
            var page = expected with { Pfn = expected.Pfn + (gfn - expected.Start) };
            Assert.Equal(page, LeafCollector.Of(expected.Start, found));
        }
    }

    private delegate BatchResult Batch(ref RangeCursor cursor, int budget);
}
