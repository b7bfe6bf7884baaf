using System.Text.Json;

namespace Userfault.Cli;

/// <summary>A run of <c>bench handler</c> as one JSON object. Units are in the names; shares are from 0 to 1.</summary>
internal static class BenchJson
{
    public static string Of(BenchReport report) =>
        JsonSerializer.Serialize(
            new
            {
                report.IsGood,
                Handlers = report.Handlers.Select(static h => new
                {
                    h.Name,
                    h.Socket,
                    h.Memory,
                }),
                report.Pages,
                report.PageBytes,
                report.Pattern,
                ThinkUs = report.ThinkNs / 1e3,
                report.Rounds,
                report.Machine,
                report.Image,
                report.Checked,
                FloorUs = new { P50 = report.FloorP50Ns / 1e3, P99 = report.FloorP99Ns / 1e3 },
                Cells = report.Cells.Select(Cell),
            },
            JsonReport.Options
        );

    private static object Cell(BenchCell cell) =>
        new
        {
            cell.Handler,
            cell.Touchers,
            cell.Load,
            Problem = Units.NameOf(cell.Failure?.Problem ?? TurnProblem.None),
            cell.Failure?.Message,
            cell.PerSecond,
            cell.Ratio,
            WaitUs = new
            {
                P50 = Us(cell.P50Ns),
                P99 = Us(cell.P99Ns),
                P999 = Us(cell.P999Ns),
                Max = Us(cell.MaxNs),
            },
            cell.StallMedian,
            cell.StallWorst,
            cell.WaitedShare,
            cell.QueuedShare,
            FirstPageUs = Us(cell.FirstPageNs),
            Rounds = cell.Turns.Select(static t => new
            {
                t.Touches,
                ElapsedMs = t.ElapsedNs / 1e6,
                t.PerSecond,
                P50Us = t.P50Ns / 1e3,
                P99Us = t.P99Ns / 1e3,
                P999Us = t.P999Ns / 1e3,
                MaxUs = t.MaxNs / 1e3,
                t.StallMedian,
                t.StallWorst,
                t.Waited,
                t.QueuedShare,
                t.Checked,
                t.Wrong,
            }),
        };

    private static Spread Us(Spread ns) => new(ns.Median / 1e3, ns.Low / 1e3, ns.High / 1e3);
}
