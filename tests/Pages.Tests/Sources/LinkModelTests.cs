using Userfault.Tests;

namespace Userfault.Pages.Tests.Sources;

public sealed class LinkModelTests
{
    // 8 Gbit/s: a byte a ns.
    private const long BytePerNs = 8_000_000_000;

    [Fact]
    public void Latency_alone_delays_each_answer_by_itself()
    {
        var link = new LinkModel(new LinkSettings(LatencyNs: 30_000));
        link.Submit(100, 1, 4096, FetchPriority.Demand);
        link.Submit(200, 2, 1 << 20, FetchPriority.Background);
        Assert.Equal(30_100, link.NextDueNs);
        Assert.Empty(Drain(link, 30_099));
        Assert.Equal([(1ul, 30_100L)], Drain(link, 30_100));
        Assert.Equal([(2ul, 30_200L)], Drain(link, 1_000_000));
        Assert.Equal(long.MaxValue, link.NextDueNs);
        Assert.Equal(0, link.Outstanding);
    }

    [Fact]
    public void Bandwidth_sends_answers_one_after_another()
    {
        var link = new LinkModel(new LinkSettings(LatencyNs: 1000, BitsPerSecond: BytePerNs));
        link.Submit(0, 1, 500, FetchPriority.Demand);
        link.Submit(0, 2, 500, FetchPriority.Demand);
        link.Submit(5000, 3, 10, FetchPriority.Demand);
        Assert.Equal([(1ul, 1500L), (2ul, 2000L), (3ul, 6010L)], Drain(link, 100_000));
    }

    [Fact]
    public void Demand_overtakes_background_that_waits_but_not_what_is_on_the_line()
    {
        var link = new LinkModel(new LinkSettings(LatencyNs: 1000, BitsPerSecond: BytePerNs));
        link.Submit(0, 1, 10_000, FetchPriority.Background);
        link.Submit(1, 2, 10_000, FetchPriority.Background);
        link.Submit(500, 3, 100, FetchPriority.Demand);
        // 1 is on the line from 1000 to 11000; 3 is ready at 1500 and goes before 2.
        Assert.Equal([(1ul, 11_000L), (3ul, 11_100L), (2ul, 21_100L)], Drain(link, 100_000));
    }

    [Fact]
    public void A_call_that_comes_late_finds_what_a_call_in_time_would_have_found()
    {
        var settings = new LinkSettings(20_000, 15_000, BytePerNs, Seed: 9);
        var random = new Random(4);
        var submissions = new List<(long At, long Bytes, FetchPriority Priority)>();
        for (long at = 0; at < 3_000_000; at += random.Next(3000))
            submissions.Add((at, random.Next(5000), (FetchPriority)random.Next(2)));

        var eager = Play(settings, submissions, everyNs: 1);
        var lazy = Play(settings, submissions, everyNs: 100_000);

        Assert.Equal(submissions.Count, eager.Count);
        Assert.Equal(eager, lazy);
    }

    [Fact]
    public void Jitter_is_uniform_within_its_bound_and_the_seed_decides()
    {
        var one = Jitters(1);
        Assert.Equal(one, Jitters(1));
        Assert.NotEqual(one, Jitters(2));
        Assert.InRange(one.Min(), 0, 100);
        Assert.InRange(one.Max(), 9_900, 10_000);
        Assert.InRange(one.Average(), 4_800, 5_200);

        static List<long> Jitters(ulong seed)
        {
            var jitters = new List<long>();
            var link = new LinkModel(new LinkSettings(JitterNs: 10_000, Seed: seed));
            for (ulong i = 0; i < 5000; i++)
            {
                link.Submit((long)i * 20_000, i, 1, FetchPriority.Demand);
                Assert.True(link.TryComplete(long.MaxValue - 1, out _, out var at));
                jitters.Add(at - ((long)i * 20_000));
            }
            return jitters;
        }
    }

    [Fact]
    public void A_full_line_carries_its_bandwidth_and_no_more()
    {
        var link = new LinkModel(new LinkSettings(LatencyNs: 50_000, BitsPerSecond: 10_000_000_000));
        for (ulong i = 0; i < 1000; i++)
            link.Submit(0, i, 4112, FetchPriority.Background);
        var last = Drain(link, long.MaxValue - 1)[^1].AtNs;
        // 4112 bytes at 10 Gbit/s are 3289.6 ns, counted in whole ns each.
        Assert.Equal(50_000 + (1000 * 3289), last);
    }

    [Fact]
    public void A_negative_setting_is_refused() =>
        Expect.Refused(PagingError.BadOption, () => _ = new LinkModel(new LinkSettings(LatencyNs: -1)), "negative");

    private static List<(ulong, long)> Play(
        LinkSettings settings,
        List<(long At, long Bytes, FetchPriority Priority)> submissions,
        long everyNs
    )
    {
        var link = new LinkModel(settings);
        var completed = new List<(ulong, long)>();
        long nextLook = 0;
        for (var i = 0; i < submissions.Count; i++)
        {
            var (at, bytes, priority) = submissions[i];
            if (everyNs == 1)
            {
                completed.AddRange(Drain(link, at));
            }
            else if (at >= nextLook)
            {
                completed.AddRange(Drain(link, at));
                nextLook = at + everyNs;
            }
            link.Submit(at, (ulong)i, bytes, priority);
        }
        completed.AddRange(Drain(link, long.MaxValue - 1));
        return completed;
    }

    private static List<(ulong Key, long AtNs)> Drain(LinkModel link, long nowNs)
    {
        var completed = new List<(ulong, long)>();
        while (link.TryComplete(nowNs, out var key, out var at))
        {
            Assert.True(at <= nowNs);
            completed.Add((key, at));
        }
        return completed;
    }
}
