using System.Globalization;
using Userfault.Pages;

namespace Userfault.Bench.Fetch;

/// <summary>
/// <c>wanted [--pages 65536] [--vcpus 16] [--think-us 200] [--window 256]</c>: what becomes of a page that is on its
/// way as background when somebody wants it. The fetch engine over one modelled path, in virtual time, while a guest
/// touches pages at random and all others are pushed: wait for what is on its way, ask for the page again at once, or
/// ask again where that is usually sooner, which is what the engine does. Figures are the same on every machine.
/// </summary>
internal static class WantedPages
{
    private static readonly (string Name, long LatencyNs, long BitsPerSecond)[] Paths =
    [
        ("1 Gbps, 200 us", 200_000, 1_000_000_000),
        ("10 Gbps, 30 us", 30_000, 10_000_000_000),
        ("10 Gbps, 1 ms", 1_000_000, 10_000_000_000),
        ("25 Gbps, 30 us", 30_000, 25_000_000_000),
    ];

    public static int Run(string[] args)
    {
        var pages = Arguments.Number(args, "--pages", 65536);
        var vcpus = Arguments.Number(args, "--vcpus", 16);
        var thinkNs = Arguments.Number(args, "--think-us", 200) * 1000L;
        var window = Arguments.Number(args, "--window", 256);
        foreach (var (name, latencyNs, bitsPerSecond) in Paths)
        {
            foreach (var policy in Enum.GetValues<WantedPolicy>())
            {
                var link = new LinkSettings(latencyNs, JitterNs: latencyNs / 10, bitsPerSecond);
                var run = new WantedRun(policy, link, pages, vcpus, thinkNs, window);
                run.Play();
                Console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name, -15} {policy, -13} all waits p50 {Us(run.Waits, 50), 6} p99 {Us(run.Waits, 99), 6} "
                            + $"us; {run.OnItsWay.Count, 5} of them for pages on their way: p50 "
                            + $"{Us(run.OnItsWay, 50), 6} p99 {Us(run.OnItsWay, 99), 6} max "
                            + $"{run.OnItsWay.MaxNs / 1000, 6} us; "
                            + $"{run.FetchedTwice, 5} pages twice; complete {run.CompleteNs / 1e6, 7:0.0} ms"
                    )
                );
            }
        }

        return 0;
    }

    private static long Us(LatencyHistogram histogram, double percentile) => histogram.PercentileNs(percentile) / 1000;
}
