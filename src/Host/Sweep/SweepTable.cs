using System.Globalization;
using Spectre.Console;

namespace Userfault.Cli;

/// <summary>A sweep on a terminal: a row a curve with its knee and both ends, then the answers.</summary>
internal static class SweepTable
{
    public static void Write(TextWriter output, IReadOnlyList<SweepCurve> curves, IReadOnlyList<SweepAnswers> answers)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (Console.IsOutputRedirected) console.Profile.Width = 160;
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("guest", "network", "vCPUs", "pages/s", "stall p50", "stall p99", "completion", "knee");
        foreach (var curve in curves)
        {
            var last = curve.Results[^1];
            string[] cells =
            [
                SweepWords.Guest(curve.Point), SweepWords.Network(curve.Point), last.Point.Vcpus.ToString(CultureInfo.InvariantCulture),
                SweepWords.Rate(last.PagesPerSecond), Units.Duration(last.StallP50Ns), Units.Duration(last.StallP99Ns),
                Units.Duration(last.CompletionNs), SweepWords.Of(curve.Knee),
            ];
            table.AddRow(cells.Select(Markup.Escape).ToArray());
        }

        console.Write(table);
        foreach (var answer in answers)
        {
            output.WriteLine($"{SweepWords.Guest(answer.Guest)}:");
            foreach (var (question, words) in new[] { answer.AboutFetchers(), answer.AboutReplay(), answer.AboutNetwork() })
                output.WriteLine($"  {question}\n    {words}");
        }
    }
}
