using System.Globalization;
using System.Text;
using Userfault.Capacity;

namespace Userfault.Cli;

/// <summary>A sweep as CSV: one row a point.</summary>
internal static class SweepCsv
{
    public const string Header =
        "arch,mode,latency_us,fetchers,prefetch,bandwidth_bps,vcpus,pages_per_second,pages_per_second_per_vcpu,"
        + "stall_mean_us,stall_p50_us,"
        + "stall_p99_us,stalls,touches,completion_ms,whole_ms,fetcher_use,network_use,longest,knee_vcpus,"
        + "kernel_error,kernel_from_vcpus,kernel_to_vcpus,kernel_cells";

    public static string Of(IEnumerable<SweepCurve> curves)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (var curve in curves)
        {
            foreach (var r in curve.Results)
            {
                var p = r.Point;
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{Units.NameOf(p.Architecture)},{SweepWords.Mode(p.Mode)},{p.LatencyNs / 1e3:0.###},"
                        + $"{p.Fetchers},{SweepWords.Prefetch(p)},{p.BitsPerSecond:0},{p.Vcpus},"
                );
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{r.PagesPerSecond:0},{r.PagesPerSecondPerVcpu:0.#},{r.StallMeanNs / 1e3:0.###},"
                        + $"{r.StallP50Ns / 1e3:0.###},{r.StallP99Ns / 1e3:0.###},"
                );
                text.Append(CultureInfo.InvariantCulture, $"{r.Stalls},{r.Touches},{r.CompletionNs / 1e6:0.######},");
                text.Append(r.WholeNs < 0 ? "" : (r.WholeNs / 1e6).ToString("0.###", CultureInfo.InvariantCulture));
                text.Append(
                    CultureInfo.InvariantCulture,
                    $",{r.FetcherUse:0.####},{r.NetworkUse:0.####},{Units.NameOf(r.Times.Longest)},"
                        + $"{(curve.Knee.IsBent ? curve.Knee.Vcpus : ""):0},"
                );
                var band = ErrorBand.Of(p.Setup);
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"{band.WorstError:0.###},{band.FromVcpus},{band.ToVcpus},{band.Cells}\n"
                );
            }
        }

        return text.ToString();
    }
}
