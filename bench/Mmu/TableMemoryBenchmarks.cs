using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Engines;
using Userfault.Mmu;

namespace Userfault.Bench.Mmu;

/// <summary>
/// Maps 64 GiB at 4 KiB from nothing, and prints what the tables cost: the line "64 GiB at 4 KiB: ..." in the output.
/// </summary>
[SimpleJob(RunStrategy.Monitoring, launchCount: 1, warmupCount: 0, iterationCount: 1)]
public class TableMemoryBenchmarks
{
    private const ulong Pages = 64UL << 18;

    [Benchmark]
    public TableCounters Map64GiB()
    {
        using var table = SecondStageTable.Create(Architecture.X86, 48);
        for (var gfn = 0UL; gfn < Pages; gfn++)
        {
            table.Map(new Gfn(gfn), new Pfn(gfn), Access.Read | Access.Write, PageLevel.Size4K);
        }
        var counters = table.Counters;
        var (used, reserved) = (counters.TableBytes / 1e6, counters.ReservedBytes / 1e6);
        Console.WriteLine($"64 GiB at 4 KiB: {used:f1} MB of table pages, {reserved:f1} MB reserved");
        return counters;
    }
}
