using System.Globalization;

namespace Userfault.Cli;

/// <summary>Figures and conditions in words, for the table and the page.</summary>
internal static class BenchWords
{
    /// <summary>Names of the columns behind those that name the cell.</summary>
    public static readonly IReadOnlyList<string> Columns =
    [
        "pages/s",
        "ratio",
        "p50",
        "p99",
        "p99.9",
        "max",
        "stall",
        "waited",
        "queued",
        "first page",
    ];

    /// <summary>What the columns hold.</summary>
    public const string Legend =
        "Medians of the rounds, ranges in brackets. p50 to max: a touch's wait, max of all rounds. stall: share of its "
        + "run that a toucher waits, median and worst toucher. waited: touches of more than 1 us. queued: share of the "
        + "waits spent waiting for a processor with the page in place. first page: from the handover.";

    /// <summary>The cells of a row, one per column.</summary>
    public static IReadOnlyList<string> Row(BenchCell cell, bool hasRatio) =>
        !cell.HasFigures
            ? ["failed", .. Enumerable.Repeat("-", Columns.Count - 1)]
            :
            [
                $"{Rate(cell.PerSecond.Median)} ({Rate(cell.PerSecond.Low)} to {Rate(cell.PerSecond.High)})"
                    + (cell.Failure is null ? "" : ", then failed"),
                hasRatio && cell.Ratio.Median > 0 ? Ratio(cell.Ratio) : "",
                Units.Duration(cell.P50Ns.Median),
                Units.Duration(cell.P99Ns.Median),
                Units.Duration(cell.P999Ns.Median),
                Units.Duration(cell.MaxNs.High),
                $"{Percent(cell.StallMedian.Median)}, {Percent(cell.StallWorst.Median)}",
                Percent(cell.WaitedShare.Median),
                cell.QueuedShare is { } queued ? Percent(queued.Median) : "-",
                Units.Duration(cell.FirstPageNs.Median),
            ];

    /// <summary>What was done, in one line.</summary>
    public static string Conditions(BenchReport report) =>
        $"{report.Pages} pages of {Units.Size(report.PageBytes)}, {report.Memory}, each touched once, {report.Pattern}"
        + $"{(report.ThinkNs > 0 ? $", {Units.Duration(report.ThinkNs)} of computing between touches" : "")}; "
        + $"{report.Rounds} round{(report.Rounds == 1 ? "" : "s")}; {report.Machine}";

    /// <summary>What the measure itself takes, and what was compared.</summary>
    public static string Floor(BenchReport report) =>
        (
            report.FloorP50Ns > 0
                ? $"touch of a page that is in place: p50 {Units.Duration(report.FloorP50Ns)}, p99 "
                    + $"{Units.Duration(report.FloorP99Ns)}; "
                : ""
        )
        + (
            report.Image is null
                ? "content not compared: --image or --synthetic names what it must be"
                : $"{report.Checked} pages compared with {report.Image}"
        );

    /// <summary>Pages per second, in thousands from ten thousand on.</summary>
    public static string Rate(double perSecond) =>
        perSecond switch
        {
            < 1e4 => perSecond.ToString("0", CultureInfo.InvariantCulture),
            < 1e6 => (perSecond / 1e3).ToString("0.0 k", CultureInfo.InvariantCulture),
            _ => (perSecond / 1e6).ToString("0.00 M", CultureInfo.InvariantCulture),
        };

    private static string Ratio(Spread ratio) =>
        string.Create(CultureInfo.InvariantCulture, $"{ratio.Median:0.00} ({ratio.Low:0.00} to {ratio.High:0.00})");

    private static string Percent(double share) => share.ToString("0.# %", CultureInfo.InvariantCulture);
}
