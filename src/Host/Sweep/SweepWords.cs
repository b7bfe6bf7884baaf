using System.Globalization;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>Points, knees and their causes in words.</summary>
internal static class SweepWords
{
    public static string Mode(PagingMode mode) => Units.NameOf(mode);

    public static string Guest(SweepPoint point) =>
        $"{Units.NameOf(point.Architecture)} {(point.Mode == PagingMode.Both ? "both" : Mode(point.Mode))}";

    public static string Network(SweepPoint point) =>
        $"{Units.Duration(point.LatencyNs)} latency, {Fetchers(point.Fetchers)}, {Bandwidth(point.BitsPerSecond)}, "
        + $"prefetch {Prefetch(point)}";

    public static string Fetchers(int count) => count == 1 ? "1 fetcher" : $"{count} fetchers";

    public static string Vcpus(int count) => count == 1 ? "1 vCPU" : $"{count} vCPUs";

    public static string Prefetch(SweepPoint point) =>
        point.Prefetch == PrefetchKind.Locality ? $"locality:{point.LocalityPages}" : Units.NameOf(point.Prefetch);

    public static string Bandwidth(double bits) =>
        bits switch
        {
            0 => "no bound on bandwidth",
            < 1e9 => $"{(bits / 1e6).ToString("0.#", CultureInfo.InvariantCulture)} Mbit/s",
            _ => $"{(bits / 1e9).ToString("0.#", CultureInfo.InvariantCulture)} Gbit/s",
        };

    public static string Rate(double pagesPerSecond) =>
        pagesPerSecond switch
        {
            < 1e3 => $"{pagesPerSecond.ToString("0", CultureInfo.InvariantCulture)} pages/s",
            < 1e6 => $"{(pagesPerSecond / 1e3).ToString("0.#", CultureInfo.InvariantCulture)} k pages/s",
            _ => $"{(pagesPerSecond / 1e6).ToString("0.##", CultureInfo.InvariantCulture)} M pages/s",
        };

    public static string Cause(Bottleneck cause) =>
        cause switch
        {
            Bottleneck.Guest => "the guest's own computing",
            Bottleneck.KernelWork => "the kernel's work on a fault",
            Bottleneck.CacheLines => "cache lines that all vCPUs write",
            Bottleneck.Descriptor => "the queue at the one userfaultfd",
            Bottleneck.Latency => "the network's latency",
            Bottleneck.Fetchers => "the fetchers",
            _ => "the network's bandwidth",
        };

    public static string Of(Knee knee) =>
        knee.IsBent
            ? $"knee at {Vcpus(knee.Vcpus)}, {Rate(knee.PagesPerSecond)}; behind it {Cause(knee.Cause)}"
            : $"no knee up to {Vcpus(knee.Vcpus)}, {Rate(knee.PagesPerSecond)}; mostly {Cause(knee.Cause)}";
}
