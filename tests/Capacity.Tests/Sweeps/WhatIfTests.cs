namespace Userfault.Capacity.Tests;

public class WhatIfTests
{
    private static readonly KernelCosts Free = new(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);

    [Fact]
    public void As_many_fetchers_as_the_load_takes()
    {
        // 64 vCPUs at 32 us ask for 2 M pages/s at most; 100,000 a fetcher: 20 of them, and more for the uneven
        // dealing.
        var point = new SweepPoint
        {
            Costs = Free,
            Vcpus = 64,
            LatencyNs = 32_000,
            FetcherPagesPerSecond = 100_000,
            TouchesPerVcpu = 512,
        };
        var answer = WhatIf.Fetchers(point);
        Assert.InRange(answer.Fetchers, 20, WhatIf.MostFetchers);
        Assert.Equal(answer.Fetchers, answer.Result.Point.Fetchers);
        Assert.True(answer.Result.PagesPerSecond >= WhatIf.Enough * answer.Best.PagesPerSecond);
        Assert.InRange(answer.One.PagesPerSecond, 98_000, 101_000);
        Assert.Equal(1, WhatIf.Fetchers(point with { FetcherPagesPerSecond = 0 }).Fetchers);
    }

    [Fact]
    public void A_network_is_full_where_its_vCPUs_ask_for_its_bits()
    {
        // Each vCPU asks for one page of 4112 bytes in 32.896 us: 1 Gbit/s.
        var point = new SweepPoint
        {
            Costs = Free,
            Vcpus = 50,
            LatencyNs = 32_896,
            TouchesPerVcpu = 256,
        };
        var answer = WhatIf.Network(point, [10e9, 40e9, 400e9], 256);
        Assert.InRange(answer.WantedBitsPerSecond, 49e9, 51e9);
        Assert.InRange(answer.Fills[0].FullFromVcpus!.Value, 10, 11);
        Assert.InRange(answer.Fills[1].FullFromVcpus!.Value, 40, 43);
        Assert.Null(answer.Fills[2].FullFromVcpus);
        Assert.InRange(answer.Fills[0].Result.PagesPerSecond * 4112 * 8, 9.5e9, 10e9);
        Assert.InRange(answer.Fills[2].Result.PagesPerSecond * 4112 * 8, 49e9, 51e9);
    }

    [Fact]
    public void A_network_that_fewer_vCPUs_fill_is_full()
    {
        // One line, kept for 100 ns and longer with each vCPU: 32 vCPUs ask for the most, 512 for a tenth of that.
        var point = new SweepPoint
        {
            Costs = Free with { MapLineNs = 100, Growth = 0.9 },
            Vcpus = 512,
            LatencyNs = 32_896,
            TouchesPerVcpu = 64,
        };
        var answer = WhatIf.Network(point, [10e9], 512);
        Assert.InRange(answer.WantedBitsPerSecond, 0, 9e9);
        Assert.InRange(answer.Fills[0].FullFromVcpus ?? int.MaxValue, 10, 12);
    }

    [Fact]
    public void A_replay_saves_stalls_in_the_share_that_was_recorded()
    {
        var answer = WhatIf.Replay(
            new SweepPoint
            {
                Costs = Free,
                Vcpus = 4,
                ThinkNs = 200_000,
                CopyNs = 0,
                RecordedShare = 0.5,
                TouchesPerVcpu = 512,
            }
        );
        Assert.InRange(answer.SavedStalls, 0.45, 0.55);
        // A touch takes 230 us with a stall and 200 without.
        Assert.InRange(answer.SavedTime, 0.055, 0.075);
    }
}
