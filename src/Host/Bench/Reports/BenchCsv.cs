using System.Globalization;
using System.Text;

namespace Userfault.Cli;

/// <summary>A run of <c>bench handler</c> as CSV: a row per cell. Times in us, shares from 0 to 1.</summary>
internal static class BenchCsv
{
    /// <summary>The first line.</summary>
    public const string Header =
        "handler,touchers,load,rounds,pages_per_second,pages_per_second_low,pages_per_second_high,ratio,ratio_low,"
        + "ratio_high,p50_us,p99_us,p999_us,max_us,stall_median,stall_worst,waited,queued,first_page_us,floor_p50_us,"
        + "problem";

    public static string Of(BenchReport report)
    {
        var text = new StringBuilder(Header).Append('\n');
        foreach (var cell in report.Cells)
        {
            var (rate, ratio) = (cell.PerSecond, cell.Ratio);
            text.Append(
                CultureInfo.InvariantCulture,
                $"{Field(cell.Handler)},{cell.Touchers},{cell.Load},{cell.Turns.Count},{rate.Median:0},{rate.Low:0},"
                    + $"{rate.High:0},{ratio.Median:0.####},{ratio.Low:0.####},{ratio.High:0.####},"
            );
            text.Append(
                CultureInfo.InvariantCulture,
                $"{cell.P50Ns.Median / 1e3:0.###},{cell.P99Ns.Median / 1e3:0.###},{cell.P999Ns.Median / 1e3:0.###},"
                    + $"{cell.MaxNs.High / 1e3:0.###},{cell.StallMedian.Median:0.####},"
            );
            text.Append(
                CultureInfo.InvariantCulture,
                $"{cell.StallWorst.Median:0.####},{cell.WaitedShare.Median:0.####},{cell.QueuedShare?.Median:0.####},"
                    + $"{cell.FirstPageNs.Median / 1e3:0.###},{report.FloorP50Ns / 1e3:0.###},"
            );
            text.Append(CultureInfo.InvariantCulture, $"{Units.NameOf(cell.Failure?.Problem ?? TurnProblem.None)}\n");
        }
        return text.ToString();
    }

    private static string Field(string text) =>
        text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
