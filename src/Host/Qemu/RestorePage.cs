using System.Globalization;
using System.Text;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>The report of a restore as one page: the waits of requests as a picture, and all figures.</summary>
internal static class RestorePage
{
    public static string Of(RestoreReport report)
    {
        var isGood = report.Guests.All(static g => g.End == PostcopyEnd.Completed);
        var page = HtmlReport.Begin(
            report.Source.Name,
            "Lazy restore",
            isGood ? "completed" : "not completed",
            isGood,
            $"{report.Source.Stream.Machine}; {report.Guests.Count} guests"
        );
        if (report.Cluster is { } cluster)
            Table(page, cluster.Rows);
        foreach (var guest in report.Guests)
        {
            HtmlReport.Section(
                page,
                $"Guest {guest.Guest}: answers, from read to written",
                HtmlReport.Histogram(guest.Waits)
            );
            Table(page, RestoreReport.Rows(guest));
        }

        page.Append("</body></html>\n");
        return page.ToString();
    }

    private static void Table(StringBuilder page, IEnumerable<(string What, string Figure)> rows)
    {
        page.Append("<table>");
        foreach (var (what, figure) in rows)
        {
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{HtmlReport.Text(what)}</td><td>{HtmlReport.Text(figure)}</td></tr>"
            );
        }

        page.Append("</table>");
    }
}
