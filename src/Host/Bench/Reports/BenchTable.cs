using System.Globalization;
using Spectre.Console;

namespace Userfault.Cli;

/// <summary>A run of <c>bench handler</c> on a terminal: a row per cell.</summary>
internal static class BenchTable
{
    private const int LogWidth = 180;

    /// <summary>Writes it.</summary>
    /// <param name="report">What to write.</param>
    /// <param name="output">Where.</param>
    /// <param name="isTerminal">Does it have a width of its own?</param>
    public static void Write(BenchReport report, TextWriter output, bool isTerminal)
    {
        output.WriteLine(BenchWords.Conditions(report));
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Out = new AnsiConsoleOutput(output),
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
            }
        );
        if (!isTerminal)
            console.Profile.Width = LogWidth;
        var table = new Table()
            .Border(TableBorder.Rounded)
            .AddColumns(["touchers", "load", "handler", .. BenchWords.Columns]);
        var (hasRatio, last) = (report.Handlers.Count > 1, (0, -1));
        foreach (var cell in report.Cells)
        {
            var isNew = last != (cell.Touchers, cell.Load);
            last = (cell.Touchers, cell.Load);
            string[] words =
            [
                isNew ? cell.Touchers.ToString(CultureInfo.InvariantCulture) : "",
                isNew ? cell.Load.ToString(CultureInfo.InvariantCulture) : "",
                cell.Handler,
                .. BenchWords.Row(cell, hasRatio),
            ];
            table.AddRow(words.Select(Markup.Escape).ToArray());
        }
        console.Write(table);
        output.WriteLine(BenchWords.Floor(report));
        output.WriteLine(BenchWords.Legend);
        foreach (var failure in report.Failures)
            output.WriteLine($"failed     {failure}");
    }
}
