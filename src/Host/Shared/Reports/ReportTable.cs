using Spectre.Console;
using Userfault.Actors;

namespace Userfault.Cli;

/// <summary>The table at the end of a migration.</summary>
internal static class ReportTable
{
    private const int MaxVcpus = 16;

    public static void Write(MigrationReport report, TextWriter output, ClusterSummary? cluster)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (ReferenceEquals(output, Console.Out) ? Console.IsOutputRedirected : Console.IsErrorRedirected)
            console.Profile.Width = 120;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders();
        table.AddColumn("what").AddColumn("figure");
        foreach (var (what, figure) in Rows(report))
        {
            if (what.Length == 0)
                table.AddEmptyRow();
            else
                table.AddRow(Markup.Escape(what), Markup.Escape(figure));
        }

        if (cluster is not null)
        {
            table.AddRow(
                "nodes",
                $"{cluster.Nodes}, {cluster.LostNodes} "
                    + $"lost{(cluster.LostNodes > 0 ? ": " + string.Join(", ", cluster.LostNames) : "")}"
            );
        }

        console.Write(table);
    }

    /// <summary>Every figure with its name, in the order in which they are shown; an empty name is a gap.</summary>
    public static IEnumerable<(string What, string Figure)> Rows(MigrationReport report)
    {
        var slots = report.Slots;
        var fetches = report.Fetches;
        yield return ("state", Units.NameOf(report.State) + (report.Reason is null ? "" : $": {report.Reason}"));
        yield return ("pages in place", $"{report.PagesPresent} of {report.Pages}");
        if (report.PagesPresent < report.Pages)
            yield return ("not finished", $"{report.Pages - report.PagesPresent} pages missing");
        yield return ("verification", Verification(report));
        yield return ("", "");
        foreach (var (outcome, count) in slots.Outcomes)
            yield return ($"faults: {outcome}", $"{count}");
        yield return ("userfault exits", $"{slots.UserfaultExits}");
        yield return (
            "sleeps in userfaultfd",
            $"{slots.UffdSleeps} vCPU, {slots.HostSleeps} of {slots.HostAccesses} host accesses"
        );
        yield return ("merged faults", $"{slots.Merged}");
        yield return (
            "fetches",
            $"{fetches.Requests} requests, {fetches.DemandPages} demand pages, {fetches.BackgroundPages} background "
                + $"pages"
        );
        yield return (
            "pages placed",
            $"{slots.DemandPlaced} on demand, {slots.BackgroundPlaced} in the background, {slots.LateDropped} late "
                + $"and dropped"
        );
        yield return ("not moved twice", $"{fetches.Zero} zero pages, {fetches.Duplicates} duplicates");
        yield return (
            "retries",
            $"{fetches.Retried} pages, {fetches.Hedged} hedged, {fetches.Bad} bad, {fetches.Late} late"
        );
        yield return ("", "");
        yield return ("fault latency p50", Units.Duration(report.Latency.PercentileNs(50)));
        yield return ("p90", Units.Duration(report.Latency.PercentileNs(90)));
        yield return ("p99", Units.Duration(report.Latency.PercentileNs(99)));
        yield return ("p99.9", Units.Duration(report.Latency.PercentileNs(99.9)));
        yield return ("max", Units.Duration(report.Latency.MaxNs));
        foreach (var vcpu in report.Vcpus.Take(MaxVcpus))
        {
            yield return (
                $"stall of vCPU {vcpu.Vcpu}",
                $"{Units.Duration(vcpu.StallNs)} in {vcpu.Faults} faults, {vcpu.Accesses} accesses"
            );
        }

        if (report.Vcpus.Count > MaxVcpus)
        {
            yield return (
                "stall of all vCPUs",
                $"{Units.Duration(report.Vcpus.Sum(v => (double)v.StallNs))} in {report.Vcpus.Sum(v => v.Faults)} "
                    + $"faults"
            );
        }

        yield return ("", "");
        yield return ("pages/s", report.ElapsedNs > 0 ? $"{PagesPerSecond(report):0}" : "-");
        yield return ("last page in place after", report.CompletionNs < 0 ? "-" : Units.Duration(report.CompletionNs));
        yield return ("guest's streams ended after", report.GuestNs < 0 ? "-" : Units.Duration(report.GuestNs));
        if (report.Pauses.Count > 0)
            yield return ("paused", $"{report.Pauses.Count} times, {Units.Duration(report.Pauses.TotalNs)}");
        yield return SecondStage(report);
    }

    // A real guest runs on the kernel's tables. Those of the actors' memslots are then what the model would have.
    private static (string What, string Figure) SecondStage(MigrationReport report)
    {
        var slots = report.Slots;
        return report.GuestLeaves is { } guest
            ? (
                "second stage",
                $"{guest.Leaves4K} leaves of 4K, {guest.Leaves2M} of 2M, {guest.Leaves1G} of 1G, counted by the kernel"
            )
            : (
                report.HasRealGuest ? "second stage of the model" : "second stage",
                $"{slots.Leaves4K} leaves of 4K, {slots.Leaves2M} of 2M, {slots.Leaves1G} of 1G; "
                    + $"{Units.Size(slots.TableBytes)} of tables"
            );
    }

    /// <summary>Pages put in place a second, until the last one or the end.</summary>
    public static double PagesPerSecond(MigrationReport report) =>
        report.PagesPresent * 1e9 / Math.Max(1, report.CompletionNs > 0 ? report.CompletionNs : report.ElapsedNs);

    private static string Verification(MigrationReport report)
    {
        if (report.Verification is not { } verified)
            return "not reached";
        var pages =
            $"{verified.Verified} pages match the image, {verified.Wrong} wrong"
            + (verified.FirstWrong is { } first ? $" (first {first})" : "")
            + (verified.Skipped > 0 ? $", {verified.Skipped} not here" : "")
            + (report.IsByDigests ? ", by the source's digests" : "");
        return report.ChecksReads
            ? $"{pages}; {report.ReadsChecked} guest reads checked, {report.WrongReads} wrong"
            : pages;
    }
}
