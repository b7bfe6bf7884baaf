using BenchmarkDotNet.Attributes;
using Userfault.Mmu;

namespace Userfault.Bench;

/// <summary>
/// What the fault path pays for one bit of a 64 GiB VM's bitmap (2 MiB, in cache), pages in random order, uncontended.
/// <c>dotnet run -c Release --project bench -- --filter '*BitmapBit*'</c>
/// </summary>
[MemoryDiagnoser]
public class BitmapBitBenchmarks : IDisposable
{
    private const ulong Pages = 1UL << (36 - Page.Shift);
    private const int Batch = 4096;

    private readonly UserfaultBitmap _bitmap = UserfaultBitmap.Allocate(Pages);
    private readonly ulong[] _order = new ulong[Batch];

    public BitmapBitBenchmarks()
    {
        var random = new Random(1);
        for (var i = 0; i < Batch; i++)
            _order[i] = (ulong)random.NextInt64((long)Pages);
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int IsSet()
    {
        var set = 0;
        foreach (var page in _order)
            set += _bitmap.IsSet(page) ? 1 : 0;
        return set;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public int SetAndClear()
    {
        var cleared = 0;
        foreach (var page in _order)
        {
            _bitmap.Set(page);
            cleared += _bitmap.Clear(page) ? 1 : 0;
        }
        return cleared;
    }

    [Benchmark(OperationsPerInvoke = Batch)]
    public ulong SetAndClearRangeOf512()
    {
        var cleared = 0UL;
        foreach (var page in _order)
        {
            var start = page & ~511UL;
            _bitmap.SetRange(start, 512);
            cleared += _bitmap.ClearRange(start, 512);
        }
        return cleared;
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _bitmap.Dispose();
        GC.SuppressFinalize(this);
    }
}
