using BenchmarkDotNet.Attributes;
using Userfault.Mmu;

namespace Userfault.Bench.Mmu;

/// <summary>
/// Walks of four levels to 4 KiB leaves: warm (8 MiB of guest, tables in L1) and over 4 GiB (tables in L3 and DRAM).
/// </summary>
[MemoryDiagnoser]
public class TableWalkBenchmarks
{
    private const int Walks = 4096;
    private const int Seed = 1;
    private readonly ulong[] _warm = new ulong[Walks];
    private readonly ulong[] _wide = new ulong[Walks * 64];
    private SecondStageTable<EptFormat> _ept = null!;
    private SecondStageTable _table = null!;
    private TableReader _reader = null!;
    private int _at;

    [Params(Architecture.X86, Architecture.Arm64)]
    public Architecture Architecture { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        const ulong pages = 1 << 20;
        _ept = (SecondStageTable<EptFormat>)SecondStageTable.Create(Architecture.X86, 48);
        _table = SecondStageTable.Create(Architecture, 48);
        _reader = _table.Readers.Add();
        for (var gfn = 0UL; gfn < pages; gfn++)
        {
            _ept.Map(new Gfn(gfn), new Pfn(gfn), Access.Read | Access.Write, PageLevel.Size4K);
            _table.Map(new Gfn(gfn), new Pfn(gfn), Access.Read | Access.Write, PageLevel.Size4K);
        }
        var random = new Random(Seed);
        for (var i = 0; i < _warm.Length; i++)
        {
            _warm[i] = (ulong)random.Next(2048);
        }
        for (var i = 0; i < _wide.Length; i++)
        {
            _wide[i] = (ulong)random.Next((int)pages);
        }
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        _table.Dispose();
        _ept.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Walks)]
    public ulong WarmWalk()
    {
        var sum = 0UL;
        foreach (var gfn in _warm)
        {
            sum += _table.Walk(new Gfn(gfn)).Pfn.Value;
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Walks)]
    public ulong WarmWalkOfKnownFormat()
    {
        var sum = 0UL;
        foreach (var gfn in _warm)
        {
            sum += _ept.Walk(new Gfn(gfn)).Pfn.Value;
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Walks)]
    public ulong WarmAccessInASlice()
    {
        var sum = 0UL;
        _reader.Enter();
        foreach (var gfn in _warm)
        {
            sum += _table.TryAccess(new Gfn(gfn), Access.Write, out var leaf) ? leaf.Pfn.Value : 0;
        }
        _reader.Exit();
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Walks)]
    public ulong WalkOver4GiB()
    {
        var sum = 0UL;
        _at = (_at + Walks) % _wide.Length;
        foreach (var gfn in _wide.AsSpan(_at, Walks))
        {
            sum += _table.Walk(new Gfn(gfn)).Pfn.Value;
        }
        return sum;
    }
}
