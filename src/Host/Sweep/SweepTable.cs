using System.Globalization;
using Spectre.Console;

namespace Userfault.Cli;

/// <summary>
/// A sweep on a terminal: for each network a row a curve with its knee and its end, then the answers.
/// </summary>
internal static class SweepTable
{
    public static void Write(TextWriter output, IReadOnlyList<SweepCurve> curves, IReadOnlyList<SweepAnswers> answers)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) });
        if (Console.IsOutputRedirected)
            console.Profile.Width = 160;
        foreach (var network in curves.GroupBy(static c => SweepWords.Network(c.Point)))
        {
            output.WriteLine(network.Key);
            console.Write(Curves(network));
        }

        output.WriteLine("What the kernel spends, against measured cells:");
        foreach (var band in SweepBands.Of(curves))
            output.WriteLine($"  {band}");

        foreach (var answer in answers)
        {
            output.WriteLine($"{SweepWords.Guest(answer.Guest)}:");
            foreach (
                var (question, words) in new[] { answer.AboutFetchers(), answer.AboutReplay(), answer.AboutNetwork() }
            )
            {
                output.WriteLine($"  {question}\n    {words}");
            }
        }
    }

    private static Table Curves(IEnumerable<SweepCurve> curves)
    {
        var table = new Table()
            .Border(TableBorder.Rounded)
            .AddColumns("guest", "knee", "vCPUs", "pages/s", "stall p50", "p99", "completion", "kernel's error");
        foreach (var curve in curves)
        {
            var last = curve.Results[^1];
            string[] cells =
            [
                SweepWords.Guest(curve.Point),
                SweepWords.Of(curve.Knee),
                last.Point.Vcpus.ToString(CultureInfo.InvariantCulture),
                SweepWords.Rate(last.PagesPerSecond).Replace(" pages/s", "", StringComparison.Ordinal),
                Units.Duration(last.StallP50Ns),
                Units.Duration(last.StallP99Ns),
                Units.Duration(last.CompletionNs),
                SweepBands.Short(last.Point),
            ];
            table.AddRow(cells.Select(Markup.Escape).ToArray());
        }

        return table;
    }
}
