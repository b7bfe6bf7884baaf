using System.Runtime.Intrinsics;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Userfault.Mmu;

namespace Userfault.Bench;

/// <summary>
/// One pass over the bitmap of a 1 TiB VM, 32 MiB, against a plain loop that only reads the same memory. With all bits
/// clear nothing is found before the end, which is the longest scan there is.
/// <c>dotnet run -c Release --project bench -- --filter '*BitmapScan*'</c>
/// </summary>
[Config(typeof(Config))]
[InvocationCount(1)]
[IterationCount(60)]
[MinColumn]
public unsafe class BitmapScanBenchmarks : IDisposable
{
    private const ulong Pages = 1UL << (40 - Page.Shift);
    private const long Bytes = (long)Pages / 8;

    private readonly UserfaultBitmap _clear = UserfaultBitmap.Allocate(Pages);
    private readonly UserfaultBitmap _set = UserfaultBitmap.Allocate(Pages);

    public BitmapScanBenchmarks() => _set.SetAll();

    [Benchmark(Baseline = true)]
    public ulong PlainRead()
    {
        // Four words a turn into four sums: the loop a compiler leaves alone and memory limits.
        ulong a = 0,
            b = 0,
            c = 0,
            d = 0;
        for (var word = _clear.Words; word != _clear.Words + (Bytes / 8); word += 4)
        {
            a |= word[0];
            b |= word[1];
            c |= word[2];
            d |= word[3];
        }
        return a | b | c | d;
    }

    [Benchmark]
    public ulong FindNextSet() => _clear.FindNextSet(0);

    [Benchmark]
    public ulong FindNextSetByOneWord() => WordScan<Words64, ulong>.IndexOfOther(_clear.Words, 0, _clear.WordCount, 0);

    [Benchmark]
    public ulong FindNextSetBy128() =>
        WordScan<Words128, Vector128<ulong>>.IndexOfOther(_clear.Words, 0, _clear.WordCount, 0);

    [Benchmark]
    public ulong FindNextClear() => _set.FindNextClear(0);

    [Benchmark]
    public ulong Count() => _set.Count();

    [GlobalCleanup]
    public void Dispose()
    {
        _clear.Dispose();
        _set.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class Config : ManualConfig
    {
        public Config() => AddColumn(new ThroughputColumn(Bytes));
    }
}
