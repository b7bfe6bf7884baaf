using System.Text.Json;
using Spectre.Console;
using Userfault.Pages;
using Userfault.Qemu;

namespace Userfault.Cli;

/// <summary>What a restore tells at its end: a table, JSON, a page.</summary>
/// <param name="Source">What guests were restored from.</param>
/// <param name="Guests">How each ended.</param>
/// <param name="Recorded">The pages that were requested; null where that was not recorded.</param>
internal sealed record RestoreReport(GuestSource Source, IReadOnlyList<RestoreEnd> Guests, WorkingSet? Recorded)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>What the sources of a cluster did; null where pages came from a file.</summary>
    public RestoreFromClusterFigures? Cluster { get; init; }

    /// <summary>Writes everything that was asked for, and the table; and one line for each guest that failed.</summary>
    public void Write(Outputs outputs)
    {
        outputs.WriteText(Json());
        outputs.WriteHtml(RestorePage.Of(this));
        outputs.WriteWorkingSet(Recorded);
        if (Guests.Any(static g => g.Progress.SentBytes > 0))
            Table(outputs.JsonIsStandardOutput ? Console.Error : Console.Out);
        foreach (var guest in Guests.Where(static g => g.End != PostcopyEnd.Completed))
            Console.Error.WriteLine($"userfault: {guest.Target.Address.Uri}: {guest.Reason}");
    }

    /// <summary>Every figure of a guest with its name, in the order in which they are shown.</summary>
    public static IEnumerable<(string What, string Figure)> Rows(RestoreEnd guest)
    {
        var pages = guest.Progress;
        yield return ("destination", guest.Target.Address.Uri);
        yield return ("end", Units.NameOf(guest.End));
        if (guest.Reason.Length > 0)
            yield return ("reason", guest.Reason);
        yield return ("resumed after", guest.ResumedNs < 0 ? "never" : Units.Duration(guest.ResumedNs));
        yield return ("ended after", Units.Duration(guest.ElapsedNs));
        yield return (
            "memory",
            $"{pages.Pages} pages ({Units.Size(pages.Pages * 4096.0)}), {pages.ContentPages} with content"
        );
        yield return ("pages demanded", $"{pages.Demanded}");
        yield return ("pages pushed", $"{pages.Pushed}");
        yield return ("pages left", $"{pages.Left}");
        yield return (
            "rate",
            $"{Units.Size(pages.SentBytes / (Math.Max(1, guest.ElapsedNs) / 1e9))}/s, "
                + $"{Units.Size(pages.SentBytes)} in all"
        );
        yield return (
            "answer, read to written",
            guest.Waits.Count == 0
                ? "no requests"
                : $"p50 {Units.Duration(guest.Waits.PercentileNs(50))}, "
                    + $"p99 {Units.Duration(guest.Waits.PercentileNs(99))}, max {Units.Duration(guest.Waits.MaxNs)}"
        );
        if (guest.Recoveries > 0)
            yield return ("recoveries", $"{guest.Recoveries}");
        if (guest.ForeignBlocks.Count > 0)
        {
            yield return (
                "blocks that only the destination has",
                $"{string.Join(", ", guest.ForeignBlocks)}: read as zeros; start it with the devices of the saved guest"
            );
        }
    }

    private string Json() =>
        JsonSerializer.Serialize(
            new
            {
                File = Source.Name,
                Image = Source.Image.ToString(),
                Source.Stream.Machine,
                Cluster = Cluster?.Json,
                Guests = Guests.Select(static g => new
                {
                    g.Guest,
                    To = g.Target.Address.Uri,
                    End = Units.NameOf(g.End),
                    g.Reason,
                    ResumedMs = g.ResumedNs < 0 ? (double?)null : g.ResumedNs / 1e6,
                    ElapsedMs = g.ElapsedNs / 1e6,
                    g.Progress.Pages,
                    g.Progress.ContentPages,
                    RequestedPages = g.Progress.Requested,
                    DemandedPages = g.Progress.Demanded,
                    PushedPages = g.Progress.Pushed,
                    LeftPages = g.Progress.Left,
                    g.Progress.SentBytes,
                    g.Recoveries,
                    Answers = g.Waits.Count,
                    AnswerUs = LatencyPercentiles.Of(g.Waits),
                    g.ForeignBlocks,
                }),
            },
            Options
        );

    private void Table(TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (ReferenceEquals(output, Console.Out) ? Console.IsOutputRedirected : Console.IsErrorRedirected)
            console.Profile.Width = 120;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders();
        table.AddColumn("what").AddColumn("figure");
        table.AddRow("file", Markup.Escape($"{Source.Name}, {Source.Stream.Machine}"));
        foreach (var (what, figure) in Cluster?.Rows ?? [])
            table.AddRow(Markup.Escape(what), Markup.Escape(figure));
        foreach (var guest in Guests)
        {
            table.AddEmptyRow();
            if (Guests.Count > 1)
                table.AddRow("guest", $"{guest.Guest}");
            foreach (var (what, figure) in Rows(guest))
                table.AddRow(Markup.Escape(what), Markup.Escape(figure));
        }

        console.Write(table);
    }
}
