using System.Globalization;
using System.Net;
using System.Text;

namespace Userfault.Cli;

/// <summary>
/// A run of <c>bench handler</c> as one page that opens from disk with no network: bars of the rate, spans of the wait
/// on a logarithmic scale, and the table. Bars are as wide as the window; light or dark follows the reader's system.
/// </summary>
internal static class BenchPage
{
    private const string Style = """
        :root { color-scheme: light dark; --ink: #1b1f24; --back: #fff; --soft: #57606a; --track: #eaeef2;
          --bad: #cf222e; --h0: #0969da; --h1: #bf8700; --h2: #1a7f37; --h3: #8250df }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --back: #0d1117; --soft: #9198a1;
          --track: #21262d; --bad: #ff7b72; --h0: #58a6ff; --h1: #d29922; --h2: #3fb950; --h3: #bc8cff } }
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 1.5em auto; padding: 0 1em;
          color: var(--ink); background: var(--back) }
        h1 { font-size: 1.4em } h2 { font-size: 1.1em; margin-top: 2em } h3 { font-size: 1em; margin: 1em 0 .2em }
        p { overflow-wrap: anywhere } .soft { color: var(--soft) } .bad { color: var(--bad) }
        .row { display: grid; grid-template-columns: minmax(5em, 9em) 1fr; gap: 0 .8em; align-items: center }
        .name { overflow: hidden; text-overflow: ellipsis }
        .track { position: relative; height: 1.5em; background: var(--track); margin: 2px 0 }
        .bar { position: absolute; top: 0; bottom: 0; min-width: 2px }
        .mid { position: absolute; top: 0; bottom: 0; width: 2px; background: var(--ink) }
        .value { grid-column: 2; font-size: .85em; color: var(--soft) }
        .h0 { background: var(--h0) } .h1 { background: var(--h1) } .h2 { background: var(--h2) }
        .h3 { background: var(--h3) }
        .wide { overflow-x: auto } table { border-collapse: collapse; font-size: .9em }
        td, th { padding: 2px 12px 2px 0; text-align: left; white-space: nowrap; vertical-align: top }
        """;
    private const int Colors = 4;

    public static string Of(BenchReport report)
    {
        var page = new StringBuilder();
        page.Append(
            CultureInfo.InvariantCulture,
            $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                + $"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                + $"<title>userfault bench handler</title>\n<style>{Style}</style></head><body>\n"
        );
        page.Append(
            CultureInfo.InvariantCulture,
            $"<h1>Page-fault handlers: {Text(string.Join(", ", report.Handlers.Select(static h => h.Name)))}</h1>\n"
                + $"<p>{Text(BenchWords.Conditions(report))}</p>\n"
                + $"<p class=\"soft\">{Text(BenchWords.Floor(report))}</p>\n"
        );
        foreach (var failure in report.Failures)
            page.Append(CultureInfo.InvariantCulture, $"<p class=\"bad\">Failed: {Text(failure)}</p>\n");
        var measured = report.Cells.Where(static c => c.HasFigures).ToList();
        if (measured.Count > 0)
        {
            Rates(page, report, measured);
            Waits(page, report, measured);
        }
        Figures(page, report);
        return page.Append("</body></html>\n").ToString();
    }

    private static void Rates(StringBuilder page, BenchReport report, IReadOnlyList<BenchCell> cells)
    {
        var most = cells.Max(static c => c.PerSecond.High);
        page.Append("<h2>Pages per second</h2>\n");
        foreach (var group in Groups(cells))
        {
            page.Append(CultureInfo.InvariantCulture, $"<h3>{Text(group.Key)}</h3>\n");
            foreach (var cell in group)
            {
                Row(
                    page,
                    report,
                    cell,
                    0,
                    cell.PerSecond.Median / most,
                    null,
                    BenchWords.Row(cell, false)[0] + " pages/s"
                );
            }
        }
    }

    private static void Waits(StringBuilder page, BenchReport report, IReadOnlyList<BenchCell> cells)
    {
        var low = Math.Log10(Math.Max(1, cells.Min(static c => c.P50Ns.Median)));
        var high = Math.Max(low + 0.1, Math.Log10(Math.Max(1, cells.Max(static c => c.MaxNs.High))));
        double At(double ns) => Math.Clamp((Math.Log10(Math.Max(1, ns)) - low) / (high - low), 0, 1);
        page.Append(
            CultureInfo.InvariantCulture,
            $"<h2>Wait of a touch</h2>\n<p class=\"soft\">From p50 to p99.9, a mark at p99; logarithmic, from "
                + $"{Units.Duration(Math.Pow(10, low))} to {Units.Duration(Math.Pow(10, high))}.</p>\n"
        );
        foreach (var group in Groups(cells))
        {
            page.Append(CultureInfo.InvariantCulture, $"<h3>{Text(group.Key)}</h3>\n");
            foreach (var cell in group)
            {
                Row(
                    page,
                    report,
                    cell,
                    At(cell.P50Ns.Median),
                    At(cell.P999Ns.Median),
                    At(cell.P99Ns.Median),
                    $"p50 {Units.Duration(cell.P50Ns.Median)}, p99 {Units.Duration(cell.P99Ns.Median)}, p99.9 "
                        + $"{Units.Duration(cell.P999Ns.Median)}, max {Units.Duration(cell.MaxNs.High)}"
                );
            }
        }
    }

    private static void Figures(StringBuilder page, BenchReport report)
    {
        page.Append("<h2>Figures</h2>\n<div class=\"wide\"><table>\n<tr>");
        page.Append("<th>touchers</th><th>load</th><th>handler</th>");
        foreach (var column in BenchWords.Columns)
            page.Append(CultureInfo.InvariantCulture, $"<th>{Text(column)}</th>");
        page.Append("</tr>\n");
        foreach (var cell in report.Cells)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{cell.Touchers}</td><td>{cell.Load}</td><td>{Text(cell.Handler)}</td>"
            );
            foreach (var word in BenchWords.Row(cell, report.Handlers.Count > 1))
                page.Append(CultureInfo.InvariantCulture, $"<td>{Text(word)}</td>");
            page.Append("</tr>\n");
        }
        page.Append(CultureInfo.InvariantCulture, $"</table></div>\n<p class=\"soft\">{Text(BenchWords.Legend)}</p>\n");
    }

    private static IEnumerable<IGrouping<string, BenchCell>> Groups(IEnumerable<BenchCell> cells) =>
        cells.GroupBy(static c =>
            (c.Touchers == 1 ? "1 toucher" : $"{c.Touchers} touchers")
            + (c.Load == 0 ? "" : $", beside {c.Load} busy loop{(c.Load == 1 ? "" : "s")}")
        );

    private static void Row(
        StringBuilder page,
        BenchReport report,
        BenchCell cell,
        double from,
        double to,
        double? mark,
        string value
    )
    {
        var color = report.Handlers.Select(static h => h.Name).ToList().IndexOf(cell.Handler) % Colors;
        page.Append(
            CultureInfo.InvariantCulture,
            $"<div class=\"row\"><span class=\"name\">{Text(cell.Handler)}</span><div class=\"track\">"
                + $"<div class=\"bar h{color}\" "
                + $"style=\"left:{from * 100:0.##}%;width:{(to - from) * 100:0.##}%\"></div>"
        );
        if (mark is { } at)
            page.Append(CultureInfo.InvariantCulture, $"<div class=\"mid\" style=\"left:{at * 100:0.##}%\"></div>");
        page.Append(CultureInfo.InvariantCulture, $"</div><span class=\"value\">{Text(value)}</span></div>\n");
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
