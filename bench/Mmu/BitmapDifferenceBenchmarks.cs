using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using Userfault.Mmu;

namespace Userfault.Bench;

/// <summary>
/// Two replicas of a 1 TiB VM's bitmap that agree, compared from end to end; bytes of both are counted.
/// <c>dotnet run -c Release --project bench -- --filter '*BitmapDifference*'</c>
/// </summary>
[Config(typeof(Config))]
[InvocationCount(1)]
[IterationCount(60)]
[MinColumn]
public class BitmapDifferenceBenchmarks : IDisposable
{
    private const ulong Pages = 1UL << (40 - Page.Shift);

    private readonly UserfaultBitmap _left = UserfaultBitmap.Allocate(Pages);
    private readonly UserfaultBitmap _right = UserfaultBitmap.Allocate(Pages);

    public BitmapDifferenceBenchmarks()
    {
        for (var page = 0UL; page < Pages; page += 3)
        {
            _left.Set(page);
            _right.Set(page);
        }
    }

    [Benchmark]
    public ulong FindNextDifference() => _left.FindNextDifference(_right, 0);

    [Benchmark]
    public ulong CountDifference() => _left.CountDifference(_right);

    [GlobalCleanup]
    public void Dispose()
    {
        _left.Dispose();
        _right.Dispose();
        GC.SuppressFinalize(this);
    }

    private sealed class Config : ManualConfig
    {
        public Config() => AddColumn(new ThroughputColumn((long)Pages / 8 * 2));
    }
}
