using System.Globalization;
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
        foreach (var guest in report.Guests)
        {
            HtmlReport.Section(
                page,
                $"Guest {guest.Guest}: answers, from read to written",
                HtmlReport.Histogram(guest.Waits)
            );
            page.Append("<table>");
            foreach (var (what, figure) in RestoreReport.Rows(guest))
            {
                page.Append(
                    CultureInfo.InvariantCulture,
                    $"<tr><td>{HtmlReport.Text(what)}</td><td>{HtmlReport.Text(figure)}</td></tr>"
                );
            }

            page.Append("</table>");
        }

        page.Append("</body></html>\n");
        return page.ToString();
    }
}
