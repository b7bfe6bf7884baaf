using System.Globalization;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>
/// What a capacity planner asks, answered for one guest: fetchers, a replayed working set, the network.
/// </summary>
/// <param name="Guest">The guest.</param>
/// <param name="Fetchers">How many fetchers are enough.</param>
/// <param name="Replay">What a replay saves a guest that touches pages as fast as it can.</param>
/// <param name="CalmReplay">What it saves one that computes between them.</param>
/// <param name="Network">Where the network is full.</param>
internal sealed record SweepAnswers(
    SweepPoint Guest,
    FetcherAnswer Fetchers,
    ReplayAnswer Replay,
    ReplayAnswer CalmReplay,
    NetworkAnswer Network
)
{
    private const long CalmThinkNs = 200_000;

    // Answers are means over vCPUs: so many touches of each are enough.
    private const int MostTouches = 512;
    private const int MaxVcpus = 1024;
    private static readonly double[] Bandwidths = [10e9, 25e9, 40e9, 100e9, 200e9, 400e9];

    /// <summary>Plays what the answers take.</summary>
    public static SweepAnswers Of(SweepPoint guest)
    {
        guest = guest with { TouchesPerVcpu = Math.Min(guest.TouchesPerVcpu, MostTouches) };
        var fetchers = WhatIf.Fetchers(guest);
        var supplied = guest with { Fetchers = fetchers.Fetchers };
        return new SweepAnswers(
            guest,
            fetchers,
            WhatIf.Replay(supplied),
            WhatIf.Replay(supplied with { ThinkNs = Math.Max(guest.ThinkNs, CalmThinkNs) }),
            WhatIf.Network(supplied, Bandwidths, MaxVcpus)
        );
    }

    /// <summary>The question about fetchers and its answer.</summary>
    public (string Question, string Answer) AboutFetchers()
    {
        var (answer, one) = (Fetchers.Result, Fetchers.One);
        var more =
            Fetchers.Fetchers == 1
                ? "More bring less than 5 % more."
                : $"One would reach {SweepWords.Rate(one.PagesPerSecond)}, {WhatIf.MostFetchers} would reach "
                    + $"{SweepWords.Rate(Fetchers.Best.PagesPerSecond)}.";
        return (
            $"How many fetchers for {SweepWords.Vcpus(Guest.Vcpus)} at {Units.Duration(Guest.LatencyNs)}?",
            $"{SweepWords.Fetchers(Fetchers.Fetchers)} of {SweepWords.Rate(Guest.FetcherPagesPerSecond)} each: "
                + $"{SweepWords.Rate(answer.PagesPerSecond)} in all, "
                + $"a stall of {Units.Duration(answer.StallMeanNs)} in the mean and "
                + $"{Units.Duration(answer.StallP99Ns)} at the 99th percentile. {more} "
                + $"What is left to wait for is {SweepWords.Cause(answer.Times.Longest)}. "
                + $"The kernel's part: {SweepBands.Words(Guest)}."
        );
    }

    /// <summary>The question about a replayed working set and its answer.</summary>
    public (string Question, string Answer) AboutReplay()
    {
        var calm = $"With {Units.Duration(CalmReplay.Demand.Point.ThinkNs)} of computing between new pages";
        return (
            $"What does a replayed working set save ({Percent(Guest.RecordedShare)} of the touched pages recorded)?",
            $"{Saved(Replay, "With pages touched as fast as they come")} "
                + $"{Saved(CalmReplay, calm)} "
                + $"A replay is at most {Guest.BackgroundWindowPages} pages ahead on their way, "
                + "put in place by one thread."
        );
    }

    /// <summary>The question about the network and its answer.</summary>
    public (string Question, string Answer) AboutNetwork()
    {
        var full = Network
            .Fills.Where(static f => f.FullFromVcpus is not null)
            .Select(static f =>
                $"{SweepWords.Bandwidth(f.BitsPerSecond)} from about {SweepWords.Vcpus(f.FullFromVcpus!.Value)}"
            );
        var never = Network
            .Fills.Where(static f => f.FullFromVcpus is null)
            .Select(static f => SweepWords.Bandwidth(f.BitsPerSecond))
            .ToList();
        var hundred = Network.Fills.First(static f => f.BitsPerSecond >= 100e9);
        return (
            "Where is the network full?",
            $"{SweepWords.Vcpus(Guest.Vcpus)} ask for {SweepWords.Bandwidth(Network.WantedBitsPerSecond)}. Full are: "
                + $"{Join(full, "none of those looked at")}."
                + (never.Count == 0 ? "" : $" Never, up to {MaxVcpus} vCPUs: {string.Join(", ", never)}.")
                + $" On {SweepWords.Bandwidth(hundred.BitsPerSecond)} the {Guest.Vcpus} reach "
                + $"{SweepWords.Rate(hundred.Result.PagesPerSecond)}."
        );
    }

    private static string Saved(ReplayAnswer answer, string when) =>
        $"{when}: {Percent(answer.SavedTime)} of the time to the last touch "
        + $"({Units.Duration(answer.Demand.CompletionNs)} becomes "
        + $"{Units.Duration(answer.Replay.CompletionNs)}) and {Percent(answer.SavedStalls)} of the stalls "
        + $"({Units.Duration(answer.Demand.StallNsPerVcpu)} of stall a vCPU becomes "
        + $"{Units.Duration(answer.Replay.StallNsPerVcpu)}).";

    private static string Join(IEnumerable<string> parts, string none) =>
        string.Join(", ", parts) is { Length: > 0 } text ? text : none;

    private static string Percent(double share) => share.ToString("0 %", CultureInfo.InvariantCulture);
}
