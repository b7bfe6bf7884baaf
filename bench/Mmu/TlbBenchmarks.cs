using BenchmarkDotNet.Attributes;
using Userfault.Mmu;

namespace Userfault.Bench;

/// <summary>
/// The TLB in front of every access a vCPU makes: hits within its reach in random order, a miss with the insert that
/// follows, and flushes of a full TLB with the inserts that fill it again.
/// <c>dotnet run -c Release --project bench -- --filter '*TlbBench*'</c>
/// </summary>
[MemoryDiagnoser]
public class TlbBenchmarks
{
    private const int Batch = 4096;
    private const Access All = Access.Read | Access.Write | Access.Execute;

    private readonly Tlb _hot = new(TlbConfig.Default);
    private readonly Tlb _cold = new(TlbConfig.Default);
    private readonly Gfn[] _within = new Gfn[Batch];
    private ulong _next;

    public TlbBenchmarks()
    {
        var random = new Random(1);
        var reach = TlbConfig.Default.Size4K.Entries;
        for (var i = 0; i < reach; i++)
            Insert(_hot, (ulong)i);
        for (var i = 0; i < Batch; i++)
            _within[i] = new Gfn((ulong)random.Next(reach));
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public ulong Hit()
    {
        var sum = 0UL;
        foreach (var gfn in _within)
        {
            if (_hot.Lookup(gfn, Access.Write, out var entry))
                sum += entry.Pfn.Value;
        }
        return sum;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public void MissAndInsert()
    {
        for (var i = 0; i < Batch; i++)
        {
            var gfn = _next++ & 0xf_ffff;
            if (!_cold.Lookup(new Gfn(gfn), Access.Read, out _))
                Insert(_cold, gfn);
        }
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int FlushOfOnePage()
    {
        var dropped = 0;
        for (var i = 0UL; i < Batch; i++)
            dropped += _cold.FlushRange(new GfnRange(new Gfn(i), 1));
        return dropped;
    }

    private static void Insert(Tlb tlb, ulong gfn) =>
        tlb.Insert(new Gfn(gfn), new Pfn(gfn), All, PageLevel.Size4K, dirty: true);
}
