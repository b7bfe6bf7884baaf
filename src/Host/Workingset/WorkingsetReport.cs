using System.Text.Json;
using Spectre.Console;
using Userfault.Pages;

namespace Userfault.Cli;

/// <summary>What working sets hold, as a table or as JSON.</summary>
internal static class WorkingsetReport
{
    private const int MaxRows = 10;

    private static readonly JsonSerializerOptions Options = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Writes the table, and JSON where that was asked for.</summary>
    public static void Write(IReadOnlyList<(string Name, WorkingSet Set)> sets, Outputs outputs)
    {
        outputs.WriteText(
            JsonSerializer.Serialize(new { Sets = sets.Select(static s => Json(s.Name, s.Set)) }, Options)
        );
        Table(sets, outputs.JsonIsStandardOutput ? Console.Error : Console.Out);
    }

    // How many pages were wanted in how many recordings: at most so many rows, all equally wide.
    private static IEnumerable<(uint From, uint To, ulong Pages)> Histogram(WorkingSet set)
    {
        var width = (set.Recordings + MaxRows - 1) / MaxRows;
        for (ulong from = 1; from <= set.Recordings; from += width)
        {
            var to = Math.Min(from + width - 1, set.Recordings);
            var pages = set.Entries.Where(e => e.Times >= from && e.Times <= to);
            yield return ((uint)from, (uint)to, pages.Aggregate(0UL, static (sum, e) => sum + e.Pages.Count));
        }
    }

    private static (uint Newest, double Mean, uint Oldest) Age(WorkingSet set) =>
        set.Entries.Count == 0
            ? default
            : (
                set.Entries.Min(static e => e.Age),
                set.Entries.Sum(static e => (double)e.Age * e.Pages.Count) / set.TouchedPages,
                set.Entries.Max(static e => e.Age)
            );

    private static object Json(string name, WorkingSet set)
    {
        var (newest, mean, oldest) = Age(set);
        return new
        {
            File = name,
            Image = $"{set.Image}",
            set.ImagePages,
            Pages = set.TouchedPages,
            Bytes = set.TouchedPages << Mmu.Page.Shift,
            Runs = set.Runs.Count,
            set.Recordings,
            set.Generation,
            Age = new
            {
                Newest = newest,
                Mean = mean,
                Oldest = oldest,
            },
            Wanted = Histogram(set)
                .Select(static row => new
                {
                    row.From,
                    row.To,
                    row.Pages,
                }),
        };
    }

    private static void Table(IReadOnlyList<(string Name, WorkingSet Set)> sets, TextWriter output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (ReferenceEquals(output, Console.Out) ? Console.IsOutputRedirected : Console.IsErrorRedirected)
            console.Profile.Width = 120;
        var table = new Table().Border(TableBorder.Rounded).HideHeaders();
        table.AddColumn("what").AddColumn("figure");
        foreach (var (name, set) in sets)
        {
            if (table.Rows.Count > 0)
                table.AddEmptyRow();
            foreach (var (what, figure) in Rows(name, set))
                table.AddRow(Markup.Escape(what), Markup.Escape(figure));
        }

        console.Write(table);
    }

    private static IEnumerable<(string What, string Figure)> Rows(string name, WorkingSet set)
    {
        var share = set.ImagePages == 0 ? 0 : 100.0 * set.TouchedPages / set.ImagePages;
        yield return ("file", name);
        yield return ("image", $"{set.Image.Short}, {set.ImagePages} pages");
        yield return (
            "pages",
            $"{set.TouchedPages} ({Units.Size(set.TouchedPages * 4096.0)}, {share:0.0} % of the image)"
        );
        yield return ("runs", $"{set.Runs.Count}");
        yield return ("recordings", $"{set.Recordings}, generation {set.Generation}");
        if (set.Entries.Count == 0)
            yield break;
        var (newest, mean, oldest) = Age(set);
        yield return ("last wanted", $"{newest} to {oldest} recordings ago, {mean:0.0} on average");
        foreach (var (from, to, pages) in Histogram(set))
        {
            var times = from == to ? $"{from}" : $"{from} to {to}";
            yield return ($"wanted in {times}", $"{pages} pages, {100.0 * pages / set.TouchedPages:0.0} %");
        }
    }
}
