using System.Globalization;
using System.Net;
using System.Text;
using Userfault.Actors;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>
/// The report as one page that opens from disk with no network: a latency histogram with percentiles, faults over time,
/// a stall bar a vCPU, and the bitmap as a picture over time. Pictures are SVG, made here.
/// </summary>
internal static class HtmlReport
{
    private const int Width = 900;
    private const int Height = 220;
    private const int MostBars = 512;

    public static string Of(MigrationReport report)
    {
        var page = Begin(
            report.Image,
            "Post-copy migration",
            report.IsVerified ? "completed and verified" : Units.NameOf(report.State),
            report.IsVerified,
            $"{report.Image}, {report.Workload}; {Units.NameOf(report.Settings.Architecture)}, faults by "
                + $"{Units.NameOf(report.Settings.Mode)}, {ProgressView.MemoryName(report.Settings.Memory)} memory."
        );
        Section(page, "Fault latency", Histogram(report.Latency));
        Section(page, "Faults and pages over time", OverTime(report));
        Section(page, "Stall per vCPU", Stalls(report));
        Section(page, "The bitmap over time", Bitmap(report));
        page.Append("<h2>Figures</h2><table>");
        foreach (var (what, figure) in ReportTable.Rows(report).Where(r => r.What.Length > 0))
            page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(what)}</td><td>{Text(figure)}</td></tr>");
        page.Append("</table></body></html>\n");
        return page.ToString();
    }

    /// <summary>A page up to its first section.</summary>
    /// <param name="title">What the page is of.</param>
    /// <param name="heading">What was done.</param>
    /// <param name="outcome">How it ended.</param>
    /// <param name="isGood">Did it end well?</param>
    /// <param name="about">What it was done with.</param>
    public static StringBuilder Begin(string title, string heading, string outcome, bool isGood, string about) =>
        new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>userfault: {Text(title)}</title>
            <style>
            body {"{"} font: 15px/1.5 system-ui, sans-serif; max-width: 960px; margin: 2em auto; padding: 0 1em;
                color: #1b1f24 {"}"}
            h1 {"{"} font-size: 1.5em {"}"} h2 {"{"} font-size: 1.1em; margin-top: 2em {"}"}
            table {"{"} border-collapse: collapse {"}"} td {"{"} padding: 2px 14px 2px 0; vertical-align: top {"}"}
            svg {"{"} width: 100%; height: auto; background: #f6f8fa {"}"}
            text {"{"} font: 11px system-ui, sans-serif; fill: #57606a {"}"}
            .ok {"{"} color: #1a7f37 {"}"} .bad {"{"} color: #cf222e {"}"}
            </style></head><body>
            <h1>{heading}: <span class="{(isGood ? "ok" : "bad")}">{Text(outcome)}</span></h1>
            <p>{Text(about)}</p>

            """
        );

    /// <summary>A heading and what stands below it.</summary>
    public static void Section(StringBuilder page, string title, string picture) =>
        page.Append(CultureInfo.InvariantCulture, $"<h2>{title}</h2>{picture}\n");

    public static string Histogram(LatencyHistogram latency)
    {
        var buckets = latency.Buckets().ToList();
        if (buckets.Count == 0)
            return "<p>No faults.</p>";
        var low = Math.Log10(Math.Max(1, buckets[0].LowNs));
        var high = Math.Max(low + 0.1, Math.Log10(Math.Max(1, buckets[^1].HighNs)));
        var most = buckets.Max(b => b.Count);
        double X(double ns) => 10 + ((Math.Log10(Math.Max(1, ns)) - low) / (high - low) * (Width - 20));
        var svg = Open(Height);
        foreach (var (lowNs, highNs, count) in buckets)
        {
            var tall = Math.Max(1, count * (Height - 50.0) / most);
            Rect(
                svg,
                X(lowNs),
                Height - 30 - tall,
                Math.Max(1, X(highNs) - X(lowNs)),
                tall,
                "#0969da",
                $"{Units.Duration(lowNs)} to {Units.Duration(highNs)}: {count}"
            );
        }

        foreach (var percentile in new[] { 50, 90, 99, 99.9 })
        {
            var ns = latency.PercentileNs(percentile);
            Line(svg, X(ns), 15, X(ns), Height - 30, "#cf222e");
            Label(svg, X(ns) + 3, percentile is 50 or 99 ? 14 : 26, $"p{percentile} {Units.Duration(ns)}");
        }

        for (var power = Math.Ceiling(low); power <= high; power++)
            Label(svg, X(Math.Pow(10, power)), Height - 12, Units.Duration(Math.Pow(10, power)));
        return Close(svg);
    }

    private static string OverTime(MigrationReport report)
    {
        var samples = report.Timeline;
        if (samples.Count < 2)
            return "<p>Too short to be sampled.</p>";
        var end = Math.Max(1, samples[^1].ElapsedNs);
        var svg = Open(Height);
        Curve(
            svg,
            samples.Select(s => (s.ElapsedNs / (double)end, s.PagesPresent / (double)Math.Max(1, report.Pages))),
            "#1a7f37"
        );
        var faults = Math.Max(1, samples[^1].Faults);
        Curve(svg, samples.Select(s => (s.ElapsedNs / (double)end, s.Faults / (double)faults)), "#cf222e");
        Label(svg, 15, 14, $"green: pages in place, of {report.Pages}; red: faults, of {faults}");
        Label(svg, 10, Height - 12, "0");
        Label(svg, Width - 70, Height - 12, Units.Duration(end));
        return Close(svg);
    }

    private static string Stalls(MigrationReport report)
    {
        if (report.Vcpus.Count == 0)
            return "<p>No vCPUs.</p>";
        var shown = report.Vcpus.Take(MostBars).ToList();
        var most = Math.Max(1, shown.Max(v => v.StallNs));
        var wide = (Width - 20.0) / shown.Count;
        var svg = Open(Height);
        for (var i = 0; i < shown.Count; i++)
        {
            var tall = Math.Max(1, shown[i].StallNs * (Height - 50.0) / most);
            Rect(
                svg,
                10 + (i * wide),
                Height - 30 - tall,
                Math.Max(0.5, wide - 1),
                tall,
                "#bf8700",
                $"vCPU {shown[i].Vcpu}: {Units.Duration(shown[i].StallNs)} in {shown[i].Faults} faults"
            );
        }

        Label(svg, 12, 14, $"tallest: {Units.Duration(most)}");
        Label(svg, 10, Height - 12, $"vCPU {shown[0].Vcpu} to {shown[^1].Vcpu}");
        return Close(svg);
    }

    private static string Bitmap(MigrationReport report)
    {
        var samples = report.Timeline;
        if (samples.Count == 0)
            return "<p>Not sampled.</p>";
        const int rowHeight = 3;
        var svg = Open((samples.Count * rowHeight) + 30);
        for (var row = 0; row < samples.Count; row++)
        {
            var strip = samples[row].Strip;
            var wide = (Width - 20.0) / strip.Length;
            for (var cell = 0; cell < strip.Length; )
            {
                // Equal neighbours are one rectangle: a page of pictures stays small.
                var next = cell + 1;
                while (next < strip.Length && strip[next] == strip[cell])
                    next++;
                if (strip[cell] > 0)
                {
                    var light = 92 - (strip[cell] * 57 / 255);
                    Rect(
                        svg,
                        10 + (cell * wide),
                        row * rowHeight,
                        ((next - cell) * wide) + 0.2,
                        rowHeight,
                        $"hsl(212 80% {light}%)",
                        null
                    );
                }

                cell = next;
            }
        }

        Label(
            svg,
            10,
            (samples.Count * rowHeight) + 18,
            $"left to right: guest memory; top to bottom: 0 to {Units.Duration(samples[^1].ElapsedNs)}; dark: in place"
        );
        return Close(svg);
    }

    private static StringBuilder Open(int height) =>
        new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\">"
        );

    private static string Close(StringBuilder svg) => svg.Append("</svg>").ToString();

    private static void Rect(
        StringBuilder svg,
        double x,
        double y,
        double width,
        double height,
        string fill,
        string? title
    ) =>
        svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect x=\"{x:0.#}\" y=\"{y:0.#}\" width=\"{width:0.##}\" height=\"{height:0.#}\" fill=\"{fill}\""
            )
            .Append(title is null ? "/>" : $"><title>{Text(title)}</title></rect>");

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2, string stroke) =>
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<line x1=\"{x1:0.#}\" y1=\"{y1:0.#}\" x2=\"{x2:0.#}\" y2=\"{y2:0.#}\" stroke=\"{stroke}\"/>"
        );

    private static void Label(StringBuilder svg, double x, double y, string text) =>
        svg.Append(CultureInfo.InvariantCulture, $"<text x=\"{x:0.#}\" y=\"{y:0.#}\">{Text(text)}</text>");

    private static void Curve(StringBuilder svg, IEnumerable<(double X, double Y)> points, string stroke)
    {
        svg.Append("<polyline fill=\"none\" stroke-width=\"2\" stroke=\"").Append(stroke).Append("\" points=\"");
        foreach (var (x, y) in points)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"{10 + (x * (Width - 20)):0.#},{Height - 30 - (y * (Height - 50)):0.#} "
            );
        }

        svg.Append("\"/>");
    }

    /// <summary>Text as it may stand in a page.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text);
}
