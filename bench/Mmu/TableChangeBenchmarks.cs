using BenchmarkDotNet.Attributes;
using Userfault.Mmu;

namespace Userfault.Bench.Mmu;

/// <summary>
/// What the owner does to 1 GiB of 4 KiB leaves. All but <see cref="MapANewLeaf"/> are times for the whole GiB.
/// </summary>
[MemoryDiagnoser]
public class TableChangeBenchmarks
{
    private const int Pages = 1 << 18;
    private const int Budget = 512;
    private SecondStageTable _table = null!;

    [Params(Architecture.X86, Architecture.Arm64)]
    public Architecture Architecture { get; set; }

    [GlobalSetup]
    public void Create()
    {
        _table = SecondStageTable.Create(Architecture, 48);
    }

    [GlobalCleanup]
    public void Cleanup() => _table.Dispose();

    [IterationSetup(Target = nameof(MapANewLeaf))]
    public void Empty() => ZapAll();

    [IterationSetup(Targets = [nameof(Zap1GiB), nameof(WriteProtect1GiB), nameof(Collapse1GiBTo2M)])]
    public void Fill()
    {
        ZapAll();
        MapAll();
    }

    [IterationSetup(Target = nameof(Split1GiBTo4K))]
    public void FillLarge()
    {
        ZapAll();
        for (var gfn = 0UL; gfn < Pages; gfn += 512)
        {
            _table.Map(new Gfn(gfn), new Pfn(gfn), Access.Read | Access.Write, PageLevel.Size2M);
        }
    }

    [Benchmark(OperationsPerInvoke = Pages)]
    public void MapANewLeaf() => MapAll();

    [Benchmark]
    public void Zap1GiB() => ZapAll();

    [Benchmark]
    public void WriteProtect1GiB()
    {
        var cursor = All();
        while (!cursor.IsDone)
        {
            _table.WriteProtect(ref cursor, Budget);
        }
    }

    [Benchmark]
    public void Split1GiBTo4K()
    {
        var cursor = All();
        while (!cursor.IsDone)
        {
            _table.Split(ref cursor, Budget);
        }
    }

    [Benchmark]
    public void Collapse1GiBTo2M()
    {
        for (var gfn = 0UL; gfn < Pages; gfn += 512)
        {
            while (_table.Collapse(new Gfn(gfn), PageLevel.Size2M).Change == TableChange.Broken)
            {
                // Nothing caches translations here: the flush between break and make is empty.
            }
        }
    }

    private static RangeCursor All() => new(new GfnRange(new Gfn(0), Pages));

    private void MapAll()
    {
        for (var gfn = 0UL; gfn < Pages; gfn++)
        {
            _table.Map(new Gfn(gfn), new Pfn(gfn), Access.Read | Access.Write, PageLevel.Size4K);
        }
    }

    private void ZapAll()
    {
        var cursor = All();
        while (!cursor.IsDone)
        {
            _table.Zap(ref cursor, Budget);
        }
    }
}
