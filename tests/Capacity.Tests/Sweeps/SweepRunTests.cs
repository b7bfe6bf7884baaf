using Userfault.Mmu;

namespace Userfault.Capacity.Tests;

public class SweepRunTests
{
    // A kernel that costs nothing leaves the network alone to be seen.
    private static readonly KernelCosts Free = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    private static readonly SweepPoint Network = new()
    {
        Costs = Free,
        LatencyNs = 30_000,
        TouchesPerVcpu = 512,
    };

    public static TheoryData<Architecture, PagingMode, bool> Kernels() =>
        new()
        {
            { Architecture.X86, PagingMode.Userfault, false },
            { Architecture.X86, PagingMode.Both, false },
            { Architecture.X86, PagingMode.Userfaultfd, true },
            { Architecture.X86, PagingMode.Userfaultfd, false },
            { Architecture.Arm64, PagingMode.Userfault, false },
            { Architecture.Arm64, PagingMode.Both, true },
            { Architecture.Arm64, PagingMode.Userfaultfd, false },
        };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Without_a_network_it_is_the_cost_model(
        Architecture architecture,
        PagingMode mode,
        bool hasDescriptorPerVcpu
    )
    {
        foreach (var vcpus in new[] { 1, 2, 8, 64 })
        {
            var point = new SweepPoint
            {
                Architecture = architecture,
                Mode = mode,
                HasDescriptorPerVcpu = hasDescriptorPerVcpu,
                Vcpus = vcpus,
                LatencyNs = 0,
                TouchesPerVcpu = 4096 / Math.Min(vcpus, 16),
            };
            var (played, expected) = (
                SweepRun.Of(point).PagesPerSecondPerVcpu,
                1e9 / KernelCostModel.FaultNs(point.Setup)
            );
            Assert.InRange(played / expected, 0.95, 1.05);
        }
    }

    [Fact]
    public void Two_touches_of_one_vCPU_by_hand()
    {
        // Both faults: 4000 of work around 30000 of latency, 2000 for the answer at its fetcher, 1000 of thinking
        // between.
        var result = SweepRun.Of(
            Network with
            {
                Costs = Free with { FaultNs = 1000, ExitNs = 3000 },
                ThinkNs = 1000,
                FetcherPagesPerSecond = 500_000,
                TouchesPerVcpu = 2,
            }
        );
        Assert.Equal((36_000, 2), (result.StallMeanNs, result.Stalls));
        Assert.InRange(result.CompletionNs, 73_000, 73_000 + 35_000);
        Assert.Equal(new SweepTimes(500, 4000, 0, 0, 30_000, 2000, 0), result.Times);
        Assert.Equal(Bottleneck.Latency, result.Times.Longest);
    }

    [Fact]
    public void Latency_alone_scales_with_vCPUs()
    {
        foreach (var vcpus in new[] { 1, 10, 100 })
        {
            Assert.InRange(
                SweepRun.Of(Network with { Vcpus = vcpus }).PagesPerSecond,
                vcpus / 30e-6 * 0.99,
                vcpus / 30e-6 * 1.01
            );
        }
    }

    public static TheoryData<string, SweepPoint, double, Bottleneck> Limits() =>
        new()
        {
            {
                "one fetcher",
                Network with
                {
                    Vcpus = 64,
                    FetcherPagesPerSecond = 400_000,
                },
                400_000,
                Bottleneck.Fetchers
            },
            {
                "a window of 16 pages",
                Network with
                {
                    Vcpus = 64,
                    FetcherWindowPages = 16,
                },
                16 / 30e-6,
                Bottleneck.Fetchers
            },
            { "10 Gbit/s", Network with { Vcpus = 64, BitsPerSecond = 10e9 }, 10e9 / (4112 * 8), Bottleneck.Bandwidth },
            { "a guest that computes", Network with { Vcpus = 64, ThinkNs = 970_000 }, 64 / 1e-3, Bottleneck.Guest },
            {
                "one reader",
                Network with
                {
                    Vcpus = 64,
                    Mode = PagingMode.Userfaultfd,
                    Costs = Free with { ReaderNs = 5000 },
                },
                200_000,
                Bottleneck.Descriptor
            },
        };

    [Theory]
    [MemberData(nameof(Limits))]
    public void What_is_scarce_sets_the_rate_and_is_named(
        string what,
        SweepPoint point,
        double expected,
        Bottleneck bottleneck
    )
    {
        var result = SweepRun.Of(point);
        Assert.True(
            Math.Abs(result.PagesPerSecond / expected - 1) < 0.03,
            $"{what}: {result.PagesPerSecond}, not {expected}"
        );
        Assert.Equal(bottleneck, result.Times.Longest);
    }

    [Fact]
    public void Fetchers_share_the_load_as_the_routes_deal_it()
    {
        var one = SweepRun.Of(Network with { Vcpus = 256, FetcherPagesPerSecond = 400_000 });
        var eight = SweepRun.Of(Network with { Vcpus = 256, FetcherPagesPerSecond = 400_000, Fetchers = 8 });
        Assert.InRange(eight.PagesPerSecond / one.PagesPerSecond, 4, 8);
        Assert.InRange(one.FetcherUse, 0.97, 1);
    }

    [Theory]
    [InlineData(2, 256)]
    [InlineData(14, 64)]
    [InlineData(126, 8)]
    public void Neighbours_come_along(int window, int waits)
    {
        // Half of the window comes with each fault: every so many touches there is one wait, and nothing in between.
        var point = Network with
        {
            Vcpus = 3,
            Prefetch = PrefetchKind.Locality,
            LocalityPages = window,
            CopyNs = 0,
        };
        Assert.InRange(SweepRun.Of(point).CompletionNs, waits * 30_000, (waits + 1) * 30_000);
    }

    [Fact]
    public void A_replayed_working_set_takes_its_share_of_the_stalls()
    {
        var demand = Network with { Vcpus = 4, ThinkNs = 100_000 };
        var replay = demand with { Prefetch = PrefetchKind.Replay, RecordedShare = 0.9, CopyNs = 0 };
        var (without, with) = (SweepRun.Of(demand), SweepRun.Of(replay));
        Assert.Equal(without.Touches, without.Stalls);
        Assert.InRange(with.Stalls, 4 * 512 * 0.05, 4 * 512 * 0.15);
        Assert.True(with.CompletionNs < without.CompletionNs * 0.85);
    }

    [Fact]
    public void A_push_brings_everything_at_the_pace_of_its_window()
    {
        var point = Network with
        {
            Vcpus = 4,
            PagesPerVcpu = 16384,
            Prefetch = PrefetchKind.Push,
            CopyNs = 0,
            ThinkNs = 5_000_000,
            BackgroundWindowPages = 256,
            TouchesPerVcpu = 8,
        };
        // 65536 pages, 256 of them at a time, 30 us each time.
        Assert.InRange(SweepRun.Of(point).WholeNs, 7_600_000, 7_900_000);
        // The pace behind the guest's end is reckoned, not played, where memory is much larger.
        var huge = SweepRun.Of(point with { PagesPerVcpu = 1 << 22, TouchesPerVcpu = 1 });
        Assert.InRange(huge.WholeNs, 1.9e9, 2.02e9);
        Assert.True(huge.Events < 100_000);
        Assert.Equal(-1, SweepRun.Of(Network).WholeNs);
    }

    [Fact]
    public void Demand_goes_before_the_push()
    {
        var alone = SweepRun.Of(Network with { Vcpus = 4, BitsPerSecond = 10e9, ThinkNs = 20_000 });
        var pushed = SweepRun.Of(
            Network with
            {
                Vcpus = 4,
                BitsPerSecond = 10e9,
                ThinkNs = 20_000,
                Prefetch = PrefetchKind.Push,
                PagesPerVcpu = 1 << 20,
            }
        );
        // At worst it waits for one word of 64 pages that is on the line: 211 us at 10 Gbit/s.
        Assert.InRange(pushed.StallMeanNs - alone.StallMeanNs, 50_000, 215_000);
    }

    [Fact]
    public void The_parts_of_the_time_add_up()
    {
        var result = SweepRun.Of(
            new SweepPoint
            {
                Vcpus = 32,
                Mode = PagingMode.Userfaultfd,
                FetcherPagesPerSecond = 400_000,
                BitsPerSecond = 100e9,
                ThinkNs = 50_000,
                Fetchers = 2,
            }
        );
        var times = result.Times;
        var sum =
            times.GuestNs
            + times.KernelNs
            + times.LineNs
            + times.DescriptorNs
            + times.LatencyNs
            + times.FetcherNs
            + times.NetworkNs;
        Assert.InRange(sum / (times.GuestNs + result.StallMeanNs), 0.999, 1.001);
    }

    [Fact]
    public void The_same_point_gives_the_same_result()
    {
        var point = new SweepPoint
        {
            Vcpus = 16,
            Mode = PagingMode.Userfaultfd,
            Fetchers = 3,
            Prefetch = PrefetchKind.Replay,
        };
        Assert.Equal(SweepRun.Of(point), SweepRun.Of(point));
        Assert.NotEqual(SweepRun.Of(point).CompletionNs, SweepRun.Of(point with { Seed = 2 }).CompletionNs);
    }

    [Fact]
    public void A_TiB_takes_two_bits_a_page()
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var result = SweepRun.Of(
            new SweepPoint
            {
                Vcpus = 512,
                PagesPerVcpu = 1L << 19,
                TouchesPerVcpu = 64,
                Prefetch = PrefetchKind.Push,
            }
        );
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 64 << 20, 200 << 20);
        Assert.True(result.WholeNs > result.CompletionNs);
    }

    [Fact]
    public void Impossible_points_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => SweepRun.Of(Network with { Vcpus = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => SweepRun.Of(Network with { Fetchers = 0 }));
        Assert.Throws<ArgumentException>(() => SweepRun.Of(Network with { PagesPerVcpu = 100 }));
        Assert.Throws<ArgumentException>(() => SweepRun.Of(Network with { PagesPerVcpu = 64, TouchesPerVcpu = 65 }));
    }
}
