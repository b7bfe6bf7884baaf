using System.Globalization;
using System.Net;
using System.Text;
using Userfault.Capacity;
using Userfault.Mmu;

namespace Userfault.Cli;

/// <summary>
/// A sweep as one page that opens from disk with no network: the questions answered in words, then for every network
/// the curves of paging rate, stall and completion against vCPUs with their knees, and all points as a table.
/// </summary>
internal static class SweepPage
{
    private static readonly string Style = """
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 980px; margin: 2em auto; padding: 0 1em;
          color: #1b1f24 }
        h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em } h3 { font-size: 1em; margin: 1.2em 0 .2em }
        table { border-collapse: collapse } td, th { padding: 2px 12px 2px 0; vertical-align: top; text-align: left }
        svg { width: 100%; height: auto; background: #f6f8fa } text { font: 11px system-ui, sans-serif; fill: #57606a }
        .key { display: inline-block; width: 26px; border-top: 3px solid; vertical-align: middle; margin: 0 5px 0 14px }
        details { margin: 1em 0 }
        """;

    public static string Of(IReadOnlyList<SweepCurve> curves, IReadOnlyList<SweepAnswers> answers)
    {
        var page = new StringBuilder();
        page.Append(
            CultureInfo.InvariantCulture,
            $"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>userfault sweep</title>\n"
                + $"<style>{Style}</style></head><body>\n"
        );
        page.Append(
            "<h1>Post-copy against vCPUs</h1>\n<p>Played on virtual time from what the kernel spends on a fault "
                + "(fitted to published rates of an x86 and an arm64 host) "
        );
        page.Append("and queues at fetchers and network. Every vCPU touches pages of a share of its own");
        page.Append(
            CultureInfo.InvariantCulture,
            $", {Thinking(curves[0].Point)}. A knee is where twice the vCPUs begin to bring less than 1.41 times the "
                + $"pages.</p>\n"
        );
        if (answers.Count > 0)
            Answers(page, answers);
        Bands(page, curves);
        var first = true;
        foreach (var network in curves.GroupBy(static c => SweepWords.Network(c.Point)))
        {
            Network(page, network.Key, [.. network], first);
            first = false;
        }

        return page.Append("</body></html>\n").ToString();
    }

    private static void Bands(StringBuilder page, IReadOnlyList<SweepCurve> curves)
    {
        page.Append("<details open><summary><b>What the kernel spends, against measured cells</b></summary>\n<ul>\n");
        foreach (var band in SweepBands.Of(curves))
            page.Append(CultureInfo.InvariantCulture, $"<li>{Text(band)}</li>\n");
        page.Append("</ul></details>\n");
    }

    private static string Thinking(SweepPoint point) =>
        point.ThinkNs == 0
            ? "one after the other as fast as they come"
            : $"and computes for {Units.Duration(point.ThinkNs)} between them";

    private static void Answers(StringBuilder page, IReadOnlyList<SweepAnswers> answers)
    {
        Func<SweepAnswers, (string Question, string Answer)>[] questions =
        [
            static a => a.AboutFetchers(),
            static a => a.AboutReplay(),
            static a => a.AboutNetwork(),
        ];
        foreach (var ask in questions)
        {
            page.Append(CultureInfo.InvariantCulture, $"<h2>{Text(ask(answers[0]).Question)}</h2>\n<table>\n");
            foreach (var answer in answers)
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"<tr><th>{Text(SweepWords.Guest(answer.Guest))}</th><td>{Text(ask(answer).Answer)}</td></tr>\n"
                );
            }

            page.Append("</table>\n");
        }
    }

    private static void Network(StringBuilder page, string name, IReadOnlyList<SweepCurve> curves, bool isOpen)
    {
        page.Append(
            CultureInfo.InvariantCulture,
            $"<details{(isOpen ? " open" : "")}><summary><b>{Text(name)}</b></summary>\n<p>"
        );
        foreach (var curve in curves)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<span class=\"key\" style=\"border-color:{Color(curve)};"
                    + $"border-top-style:{(IsDashed(curve) ? "dashed" : "solid")}\"></span>"
                    + $"{Text(SweepWords.Guest(curve.Point))}"
            );
        }

        page.Append("</p>\n");
        Chart(page, "Paging rate of all vCPUs", curves, static r => r.PagesPerSecond, SweepWords.Rate);
        Chart(page, "Mean stall of a fault", curves, static r => r.StallMeanNs, Units.Duration);
        Chart(page, "Completion: the last vCPU's last touch", curves, static r => r.CompletionNs, Units.Duration);
        if (curves.Any(static c => c.Results.Any(static r => r.WholeNs > 0)))
            Chart(page, "All of guest memory in place", curves, static r => r.WholeNs, Units.Duration);
        page.Append("<h3>Knees</h3>\n<table>\n");
        foreach (var curve in curves)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><th>{Text(SweepWords.Guest(curve.Point))}</th><td>{Text(SweepWords.Of(curve.Knee))}</td></tr>\n"
            );
        }

        page.Append("</table>\n");
        Points(page, curves);
        page.Append("</details>\n");
    }

    private static void Chart(
        StringBuilder page,
        string title,
        IReadOnlyList<SweepCurve> curves,
        Func<SweepResult, double> value,
        Func<double, string> label
    )
    {
        var series = curves.Select(c => new SweepSeries(
            SweepWords.Guest(c.Point),
            Color(c),
            IsDashed(c),
            [.. c.Results.Select(r => ((double)r.Point.Vcpus, value(r)))],
            c.Knee.IsBent ? c.Knee.Vcpus : null
        ));
        page.Append(CultureInfo.InvariantCulture, $"<h3>{Text(title)}</h3>\n{SweepChart.Of([.. series], label)}");
    }

    private static void Points(StringBuilder page, IReadOnlyList<SweepCurve> curves)
    {
        page.Append(
            "<details><summary>All points</summary><table>\n<tr><th>guest</th><th>vCPUs</th><th>rate</th><th>stall "
                + "mean</th><th>p50</th><th>p99</th><th>completion</th><th>waits for</th>"
                + "<th>kernel's error</th></tr>\n"
        );
        foreach (var r in curves.SelectMany(static c => c.Results))
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Text(SweepWords.Guest(r.Point))}</td><td>{r.Point.Vcpus}</td><td>"
                    + $"{SweepWords.Rate(r.PagesPerSecond)}</td><td>{Units.Duration(r.StallMeanNs)}</td><td>"
                    + $"{Units.Duration(r.StallP50Ns)}</td><td>{Units.Duration(r.StallP99Ns)}</td><td>"
                    + $"{Units.Duration(r.CompletionNs)}</td><td>"
                    + $"{Text(SweepWords.Cause(r.Times.Longest))}</td><td>{Text(SweepBands.Short(r.Point))}</td></tr>\n"
            );
        }

        page.Append("</table></details>\n");
    }

    private static string Color(SweepCurve curve) =>
        curve.Point.Mode switch
        {
            PagingMode.Userfault => "#0969da",
            PagingMode.Userfaultfd => "#cf222e",
            _ => "#1a7f37",
        };

    private static bool IsDashed(SweepCurve curve) => curve.Point.Architecture == Architecture.Arm64;

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
