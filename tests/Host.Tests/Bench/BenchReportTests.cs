using System.Text.Json;
using Userfault.Cli;

namespace Userfault.Host.Tests;

/// <summary>The forms of a report, against a fixed one.</summary>
public class BenchReportTests
{
    private static BenchReport Report { get; } =
        new()
        {
            Handlers = [new HandlerName("c", "/tmp/c"), new HandlerName("a<b", "/tmp/d")],
            Pages = 1001,
            PageBytes = 4096,
            Pattern = "random",
            ThinkNs = 0,
            Rounds = 3,
            Image = null,
            Machine = "2 processors, x64",
            Cells =
            [
                new BenchCell("c", 8, 0, [Turn(100), Turn(200), Turn(400)], [Turn(100), Turn(200), Turn(400)]),
                new BenchCell("a<b", 8, 0, [Turn(50), Turn(400), Turn(200)], [Turn(100), Turn(200), Turn(400)]),
                new BenchCell("c", 8, 2, [Turn(10)], [Turn(10)]),
                new BenchCell(
                    "a<b",
                    8,
                    2,
                    [TurnResult.Failed(TurnProblem.NoAnswer, "does not answer & so on")],
                    [Turn(10)]
                ),
            ],
        };

    [Fact]
    public void Csv_has_a_row_per_cell()
    {
        string[] names =
        [
            "handler",
            "touchers",
            "load",
            "rounds",
            "pages_per_second",
            "pages_per_second_low",
            "pages_per_second_high",
            "ratio",
            "ratio_low",
            "ratio_high",
            "p50_us",
            "p99_us",
            "p999_us",
            "max_us",
            "stall_median",
            "stall_worst",
            "waited",
            "queued",
            "first_page_us",
            "floor_p50_us",
            "problem",
        ];
        string[] rows =
        [
            string.Join(',', names),
            "c,8,0,3,200000,100000,400000,1,1,1,5,10,20,40,0.5,0.9,0.25,0.125,1000,0.05,none",
            "a<b,8,0,3,200000,50000,400000,0.5,0.5,2,5,10,20,80,0.5,0.9,0.25,0.125,1000,0.05,none",
            "c,8,2,1,10000,10000,10000,1,1,1,100,200,400,400,0.5,0.9,0.25,0.125,1000,0.05,none",
            "a<b,8,2,1,0,0,0,0,0,0,0,0,0,0,0,0,0,,0,0.05,no_answer",
            "",
        ];
        Assert.Equal(rows, BenchCsv.Of(Report).Split('\n'));
    }

    [Fact]
    public void Json_has_units_in_its_names_and_every_round()
    {
        var report = JsonDocument.Parse(BenchJson.Of(Report)).RootElement;
        Assert.False(report.GetProperty("isGood").GetBoolean());
        Assert.Equal(0.05, report.GetProperty("floorUs").GetProperty("p50").GetDouble());
        var cell = report.GetProperty("cells")[1];
        Assert.Equal(0.5, cell.GetProperty("ratio").GetProperty("median").GetDouble());
        Assert.Equal(2, cell.GetProperty("ratio").GetProperty("high").GetDouble());
        Assert.Equal(80, cell.GetProperty("waitUs").GetProperty("max").GetProperty("high").GetDouble());
        Assert.Equal(0.125, cell.GetProperty("queuedShare").GetProperty("median").GetDouble());
        Assert.Equal(3, cell.GetProperty("rounds").GetArrayLength());
        var failed = report.GetProperty("cells")[3];
        Assert.Equal("no_answer", failed.GetProperty("problem").GetString());
        Assert.False(failed.TryGetProperty("queuedShare", out _));
    }

    [Fact]
    public void The_table_shows_medians_ratios_and_failures()
    {
        var text = new StringWriter();
        BenchTable.Write(Report, text, isTerminal: false);
        var lines = text.ToString().Split('\n');
        string[] Cells(string name, string rate) =>
            lines
                .First(l =>
                    l.Contains($" {name} ", StringComparison.Ordinal) && l.Contains(rate, StringComparison.Ordinal)
                )
                .Split('│', StringSplitOptions.TrimEntries)[1..^1];
        Assert.Equal(
            [
                "",
                "",
                "a<b",
                "200.0 k (50.0 k to 400.0 k)",
                "0.50 (0.50 to 2.00)",
                "5.0 us",
                "10.0 us",
                "20.0 us",
                "80.0 us",
                "50 %, 90 %",
                "25 %",
                "12.5 %",
                "1.00 ms",
            ],
            Cells("a<b", "200.0 k")
        );
        Assert.Equal(["8", "2", "c"], Cells("c", "10.0 k")[..3]);
        Assert.Equal(["", "", "a<b", "failed", "-"], Cells("a<b", "failed")[..5]);
        Assert.Contains("p50 50 ns, p99 500 ns", text.ToString(), StringComparison.Ordinal);
        Assert.Contains("a<b, 8 touchers, load 2: does not answer & so on", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_needs_nothing_but_itself()
    {
        var page = BenchPage.Of(Report);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("a<b", page, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Contains("width=device-width", page, StringComparison.Ordinal);
        Assert.Contains("does not answer &amp; so on", page, StringComparison.Ordinal);
        // Rates and waits of the three cells with figures; a header and a row per cell.
        Assert.Equal(6, page.Split("class=\"row\"").Length - 1);
        Assert.Equal(5, page.Split("<tr>").Length - 1);
        // 200 k of at most 400 k pages/s.
        Assert.Contains("left:0%;width:50%", page, StringComparison.Ordinal);
    }

    // A turn at so many thousand pages per second.
    private static TurnResult Turn(int thousands) =>
        new()
        {
            Touches = 1000,
            ElapsedNs = 1_000_000_000L / thousands,
            FirstPageNs = 1_000_000,
            P50Ns = 1_000_000 / thousands,
            P99Ns = 2_000_000 / thousands,
            P999Ns = 4_000_000 / thousands,
            MaxNs = thousands == 10 ? 400_000 : 4_000_000 / thousands,
            Waited = 250,
            StallMedian = 0.5,
            StallWorst = 0.9,
            QueuedShare = 0.125,
            FloorP50Ns = 50,
            FloorP99Ns = 500,
        };
}
