using Userfault.Actors;
using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.Bench.Simulation;

/// <summary>
/// What working sets bring, in virtual time: recordings of runs of the sample trace, held against another run. The
/// figures are the same on every machine.
/// </summary>
internal static class WorkingSets
{
    private const int Target = 9;
    private const long Gbps = 1_000_000_000;

    public static int Run(string trace)
    {
        var sample = TraceWorkload.Load(trace, ReplayRun.Pages);
        ReplayRun Of(int seed, BackgroundOrder order, WorkingSet? set, long bits, int requestPages = 64) =>
            ReplayRun.Of(new AnotherRun(sample, ReplayRun.Pages, seed), order, set, bits, requestPages);

        var recordings = Enumerable
            .Range(1, 4)
            .Select(seed => ($"{seed}", Of(seed, BackgroundOrder.None, null, 10 * Gbps).Recorded))
            .ToList();
        var wanted = Of(Target, BackgroundOrder.None, null, 10 * Gbps).Recorded;
        foreach (
            var (count, limit) in ((int, ulong)[])
                [(1, ulong.MaxValue), (2, ulong.MaxValue), (4, ulong.MaxValue), (4, 7565)]
        )
        {
            var set = new WorkingSetMerge().Of([.. recordings.Take(count)]).Limit(limit);
            Console.WriteLine(
                $"{count} recordings, {set.TouchedPages} pages: {100 * ReplayRun.Missed(wanted, set):0.0} % are missed"
            );
        }

        var merged = new WorkingSetMerge().Of(recordings);
        foreach (var bits in (long[])[0, 10 * Gbps, Gbps])
        {
            foreach (
                var (what, order, set, requestPages) in ((string, BackgroundOrder, WorkingSet?, int)[])
                    [
                        ("nothing", BackgroundOrder.None, null, 64),
                        ("in sequence", BackgroundOrder.Sequential, null, 64),
                        ("recorded", BackgroundOrder.Recorded, merged, 64),
                        ("recorded, by 16", BackgroundOrder.Recorded, merged, 16),
                    ]
            )
            {
                var run = Of(Target, order, set, bits, requestPages);
                Console.WriteLine(
                    $"{bits / Gbps, 2} Gbps, {what, -15} {run.Waits, 5} faults wait, p50 {run.P50Ns / 1e3:0} us, "
                        + $"p99 {run.P99Ns / 1e3:0} us, max {run.MaxNs / 1e3:0} us"
                );
            }
        }

        return 0;
    }
}
