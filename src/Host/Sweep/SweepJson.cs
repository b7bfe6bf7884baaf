using System.Text.Json;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>
/// A sweep as one JSON object: curves with their points and knees, and the answers. Units stand in the names.
/// </summary>
internal static class SweepJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    public static string Of(IEnumerable<SweepCurve> curves, IEnumerable<SweepAnswers> answers) =>
        JsonSerializer.Serialize(new { Curves = curves.Select(Curve), Answers = answers.Select(Answer) }, Options);

    private static object Curve(SweepCurve curve) =>
        new
        {
            Arch = Units.NameOf(curve.Point.Architecture),
            Mode = SweepWords.Mode(curve.Point.Mode),
            LatencyUs = curve.Point.LatencyNs / 1e3,
            curve.Point.Fetchers,
            Prefetch = SweepWords.Prefetch(curve.Point),
            BandwidthBps = curve.Point.BitsPerSecond,
            Knee = new
            {
                curve.Knee.Vcpus,
                curve.Knee.IsBent,
                Cause = Units.NameOf(curve.Knee.Cause),
                curve.Knee.PagesPerSecond,
            },
            Points = curve.Results.Select(Point),
        };

    private static object Point(SweepResult r) =>
        new
        {
            r.Point.Vcpus,
            r.PagesPerSecond,
            r.PagesPerSecondPerVcpu,
            StallUs = new
            {
                Mean = r.StallMeanNs / 1e3,
                P50 = r.StallP50Ns / 1e3,
                P99 = r.StallP99Ns / 1e3,
            },
            r.Stalls,
            r.Touches,
            CompletionMs = r.CompletionNs / 1e6,
            WholeMs = r.WholeNs < 0 ? (double?)null : r.WholeNs / 1e6,
            r.FetcherUse,
            r.NetworkUse,
            TouchNs = new
            {
                Guest = r.Times.GuestNs,
                Kernel = r.Times.KernelNs,
                CacheLines = r.Times.LineNs,
                Descriptor = r.Times.DescriptorNs,
                Latency = r.Times.LatencyNs,
                Fetchers = r.Times.FetcherNs,
                Bandwidth = r.Times.NetworkNs,
            },
            Longest = Units.NameOf(r.Times.Longest),
            KernelError = SweepBands.Json(r.Point),
        };

    private static object Answer(SweepAnswers a) =>
        new
        {
            Arch = Units.NameOf(a.Guest.Architecture),
            Mode = SweepWords.Mode(a.Guest.Mode),
            a.Guest.Vcpus,
            LatencyUs = a.Guest.LatencyNs / 1e3,
            Fetchers = a.Fetchers.Fetchers,
            FetchersPagesPerSecond = a.Fetchers.Result.PagesPerSecond,
            ReplaySavedTime = a.Replay.SavedTime,
            ReplaySavedStalls = a.Replay.SavedStalls,
            CalmReplaySavedTime = a.CalmReplay.SavedTime,
            CalmReplaySavedStalls = a.CalmReplay.SavedStalls,
            KernelError = SweepBands.Json(a.Guest),
            WantedBps = a.Network.WantedBitsPerSecond,
            NetworkFull = a.Network.Fills.Select(static f => new
            {
                BandwidthBps = f.BitsPerSecond,
                FromVcpus = f.FullFromVcpus,
                f.Result.PagesPerSecond,
            }),
            Words = new[] { a.AboutFetchers(), a.AboutReplay(), a.AboutNetwork() }.Select(static w => new
            {
                w.Question,
                w.Answer,
            }),
        };
}
