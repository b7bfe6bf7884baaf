using Userfault.Actors;
using Userfault.Fetch;
using Userfault.Pages;
using Userfault.Simulation;

namespace Userfault.Capacity.Tests;

/// <summary>
/// The sweep's event model beside the actors themselves on virtual time: the same guest, network and policy, and a
/// kernel that costs nothing. What the model leaves out must not show.
/// </summary>
public class SweepAgainstActorsTests
{
    private static readonly KernelCosts Free = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    // A page is 4112 bytes on the line: 400,000 pages a second.
    private const long FetcherBits = 400_000L * 8 * 4112;

    public static TheoryData<string, SweepPoint, double> Points() =>
        new()
        {
            {
                "one vCPU",
                new SweepPoint { Vcpus = 1 },
                0.01
            },
            {
                "latency alone",
                new SweepPoint { Vcpus = 32 },
                0.01
            },
            {
                "userfaultfd",
                new SweepPoint { Vcpus = 32, Mode = PagingMode.Userfaultfd },
                0.01
            },
            {
                "one fetcher is not enough",
                new SweepPoint { Vcpus = 32, FetcherPagesPerSecond = 400_000 },
                0.03
            },
            {
                "three fetchers",
                new SweepPoint
                {
                    Vcpus = 32,
                    FetcherPagesPerSecond = 400_000,
                    Fetchers = 3,
                },
                0.05
            },
            {
                "eight fetchers",
                new SweepPoint
                {
                    Vcpus = 64,
                    FetcherPagesPerSecond = 400_000,
                    Fetchers = 8,
                },
                0.05
            },
            {
                "a window of 16",
                new SweepPoint { Vcpus = 32, FetcherWindowPages = 16 },
                0.08
            },
            // The actors leave a window out where the page behind the fault is claimed already; the model takes what is
            // open.
            {
                "neighbours",
                new SweepPoint
                {
                    Vcpus = 8,
                    Prefetch = PrefetchKind.Locality,
                    LocalityPages = 14,
                },
                0.15
            },
            {
                "a push",
                new SweepPoint
                {
                    Vcpus = 8,
                    ThinkNs = 100_000,
                    Prefetch = PrefetchKind.Push,
                    FetcherPagesPerSecond = 400_000,
                },
                0.05
            },
            {
                "a replayed working set",
                new SweepPoint
                {
                    Vcpus = 8,
                    ThinkNs = 100_000,
                    Prefetch = PrefetchKind.Replay,
                    RecordedShare = 1,
                },
                0.05
            },
        };

    [Theory]
    [MemberData(nameof(Points))]
    public void The_guest_takes_as_long(string what, SweepPoint point, double tolerance)
    {
        point = point with { Costs = Free, CopyNs = 0, PagesPerVcpu = 512, TouchesPerVcpu = 256 };
        var played = SweepRun.Of(point).CompletionNs;
        var acted = Actors(point);
        Assert.True(
            Math.Abs((double)played / acted - 1) <= tolerance,
            $"{what}: {played} ns played, {acted} ns by the actors"
        );
    }

    private static long Actors(SweepPoint point)
    {
        using var world = new SimWorld(1);
        var image = new TagImage((ulong)(point.Vcpus * point.PagesPerVcpu), 1);
        var workload = new PatternWorkload(
            new PatternSettings(PatternKind.Sequential, point.Vcpus, image.Pages)
            {
                AccessesPerVcpu = (ulong)point.TouchesPerVcpu,
                InstructionsPerAccess = Math.Max(1, point.ThinkNs),
                InstructionsPerSecond = point.ThinkNs > 0 ? 1_000_000_000 : 0,
            }
        );
        var replays = point.Prefetch == PrefetchKind.Replay;
        var vm = new SimVm(
            world,
            world.CreateSystem("destination"),
            new SimVmSettings
            {
                Image = image,
                Workload = workload,
                WorkingSet = replays ? Recorded(image, point) : null,
                Migration = new MigrationSettings
                {
                    Mode = point.Mode == PagingMode.Userfaultfd ? FaultMode.Userfaultfd : FaultMode.Userfault,
                    Background = point.Prefetch switch
                    {
                        PrefetchKind.Push => BackgroundOrder.Sequential,
                        PrefetchKind.Replay => BackgroundOrder.Recorded,
                        _ => BackgroundOrder.None,
                    },
                    Memslot = new MemslotSettings
                    {
                        LocalityPages = point.Prefetch == PrefetchKind.Locality ? point.LocalityPages : 0,
                    },
                    Fetcher = new FetchSettings { Hedge = false, WindowPages = point.FetcherWindowPages },
                    ProgressNs = 0,
                    SampleNs = 0,
                },
            }
        );
        for (var fetcher = 0; fetcher < point.Fetchers; fetcher++)
        {
            vm.AddFetcher(
                (ulong)fetcher,
                new SimPageServer(
                    world,
                    image,
                    new SimServerSettings
                    {
                        Name = $"source {fetcher}",
                        Latency = SimLatency.Constant(point.LatencyNs),
                        BitsPerSecond = point.FetcherPagesPerSecond > 0 ? FetcherBits : 0,
                    }
                )
            );
        }

        vm.Start();
        var report = vm.RunToReport(TimeSpan.FromMinutes(1));
        Assert.NotNull(report);
        Assert.True(report.IsVerified, report.Reason);
        return report.GuestNs;
    }

    // The order in which the vCPUs would touch: one run of 16 each in turn.
    private static WorkingSet Recorded(TagImage image, SweepPoint point)
    {
        var order =
            from run in Enumerable.Range(0, point.TouchesPerVcpu / 16)
            from vcpu in Enumerable.Range(0, point.Vcpus)
            select new MemoryPageRange(new MemoryPage((ulong)((vcpu * point.PagesPerVcpu) + (run * 16))), 16);
        return new WorkingSet(image.Identity, image.Pages, [.. order]);
    }
}
