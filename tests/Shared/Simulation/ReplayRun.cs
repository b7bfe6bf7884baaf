using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Simulation;

namespace Userfault.Tests;

/// <summary>One run of a guest in virtual time: what it waited for, with and without a working set.</summary>
/// <param name="Waits">Faults of vCPUs that waited for a page.</param>
/// <param name="P50Ns">Half of them waited at most so long.</param>
/// <param name="P99Ns">Of a hundred of them, ninety-nine.</param>
/// <param name="MaxNs">The longest wait.</param>
/// <param name="Recorded">What it waited for.</param>
internal sealed record ReplayRun(long Waits, long P50Ns, long P99Ns, long MaxNs, WorkingSet Recorded)
{
    /// <summary>Pages of the guest: 128 MiB.</summary>
    public const ulong Pages = 32768;

    /// <summary>The share of a run's pages that a working set lacks.</summary>
    public static double Missed(WorkingSet wanted, WorkingSet set)
    {
        var held = set.Runs.SelectMany(PagesOf).ToHashSet();
        return wanted.Runs.SelectMany(PagesOf).Count(page => !held.Contains(page)) / (double)wanted.TouchedPages;
    }

    /// <summary>Runs it.</summary>
    /// <param name="workload">What it does.</param>
    /// <param name="background">What is pushed.</param>
    /// <param name="replay">What is replayed, with <see cref="BackgroundOrder.Recorded"/>.</param>
    /// <param name="bitsPerSecond">Bandwidth of the source; 0 is unlimited.</param>
    /// <param name="requestPages">Pages of one request.</param>
    public static ReplayRun Of(
        IWorkload workload,
        BackgroundOrder background,
        WorkingSet? replay,
        long bitsPerSecond = 10_000_000_000,
        int requestPages = 64
    )
    {
        using var world = new SimWorld(1);
        using var image = new TagImage(Pages, seed: 1, zeroShare: 0.3);
        var vm = new SimVm(
            world,
            world.CreateSystem("destination"),
            new SimVmSettings
            {
                Image = image,
                Workload = workload,
                WorkingSet = replay,
                RecordsWorkingSet = true,
                Migration = new MigrationSettings
                {
                    Mode = FaultMode.Userfault,
                    Background = background,
                    ProgressNs = 0,
                    SampleNs = 0,
                    Fetcher = new FetchSettings { RequestPages = requestPages },
                },
            }
        );
        vm.AddFetcher(
            1,
            new SimPageServer(
                world,
                image,
                new SimServerSettings { Latency = SimLatency.Constant(30_000), BitsPerSecond = bitsPerSecond }
            )
        );
        vm.Start();
        var report =
            vm.RunToReport(TimeSpan.FromMinutes(10)) ?? throw new InvalidOperationException("the guest has not ended");
        if (!report.IsVerified)
            throw new InvalidOperationException($"the guest is wrong: {report.Reason}");
        // A fault on a page that is there already is over at once.
        var waits = report.Latency.Buckets().Where(static b => b.LowNs > 1000).ToList();
        var count = waits.Sum(static b => b.Count);
        long At(double share)
        {
            var left = (long)Math.Ceiling(count * share);
            foreach (var (_, high, of) in waits)
            {
                left -= of;
                if (left <= 0)
                    return high;
            }

            return 0;
        }

        return new ReplayRun(count, At(0.5), At(0.99), report.Latency.MaxNs, report.WorkingSet!);
    }

    private static IEnumerable<ulong> PagesOf(MemoryPageRange range)
    {
        for (ulong i = 0; i < range.Count; i++)
            yield return range.Start.Value + i;
    }
}
