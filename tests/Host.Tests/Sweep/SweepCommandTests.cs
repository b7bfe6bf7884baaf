using System.Text.Json;
using Userfault.Tests;

namespace Userfault.Host.Tests;

public class SweepCommandTests
{
    [Fact]
    public async Task A_sweep_writes_table_csv_json_and_a_page_that_answers()
    {
        using var folder = new TemporaryFolder();
        var (csv, json, html) = (folder.At("s.csv"), folder.At("s.json"), folder.At("s.html"));
        var run = await CommandLine.Run(
            "sweep",
            "--vcpus",
            "1..4",
            "--latency",
            "30us,100us",
            "--mode",
            "userfault,userfaultfd",
            "--arch",
            "arm64",
            "--fetchers",
            "1,2",
            "--prefetch",
            "none,locality:16",
            "--touches",
            "64",
            "--ask-vcpus",
            "16",
            "--csv",
            csv,
            "--json",
            json,
            "--html",
            html
        );
        Assert.Equal(0, run.ExitCode);

        var rows = await File.ReadAllLinesAsync(csv);
        // 2 modes, 2 latencies, 2 counts of fetchers, 2 kinds of prefetch, 3 counts of vCPUs.
        Assert.Equal(1 + 48, rows.Length);
        var columns = rows[0].Split(',').Length;
        Assert.All(rows, row => Assert.Equal(columns, row.Split(',').Length));

        using var parsed = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        var curves = parsed.RootElement.GetProperty("curves");
        Assert.Equal((16, 3), (curves.GetArrayLength(), curves[0].GetProperty("points").GetArrayLength()));
        Assert.Equal(2, parsed.RootElement.GetProperty("answers").GetArrayLength());

        var page = await File.ReadAllTextAsync(html);
        Assert.Equal(8 * 3, page.Split("<svg ").Length - 1);
        // A table per question that the sweep can answer.
        Assert.Equal(3, page.Split("<h2>").Length - 1);
        Assert.DoesNotContain("http", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Csv_stands_alone_on_standard_output_and_is_the_same_twice()
    {
        string[] args =
        [
            "sweep",
            "--vcpus",
            "2,8",
            "--mode",
            "userfaultfd",
            "--arch",
            "x86",
            "--touches",
            "100",
            "--no-answers",
            "--csv",
            "-",
        ];
        var (first, second) = (await CommandLine.Run(args), await CommandLine.Run(args));
        Assert.Equal((0, first.Output), (first.ExitCode, second.Output));
        Assert.Equal(5, first.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.StartsWith("arch,mode,latency_us,", first.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_of_a_TiB_is_swept()
    {
        var run = await CommandLine.Run(
            "sweep",
            "--vcpus",
            "64,512",
            "--memory",
            "1T",
            "--touches",
            "16",
            "--prefetch",
            "push",
            "--latency",
            "30us",
            "--mode",
            "both",
            "--arch",
            "x86",
            "--no-answers",
            "--csv",
            "-"
        );
        Assert.Equal(0, run.ExitCode);
        var fields = run.Output.Split('\n')[2].Split(',');
        var wholeMs = double.Parse(fields[15], System.Globalization.CultureInfo.InvariantCulture);
        // 2^28 pages. 256 on their way are four words, mostly of one run of 512, so of one fetcher: 400,000 pages/s, or
        // up to twice that where they lie over the end of a run.
        Assert.InRange(wholeMs, 335_000, 671_000);
    }

    [Fact]
    public async Task Every_output_says_how_far_to_trust_the_kernels_part()
    {
        using var folder = new TemporaryFolder();
        var (csv, json, html) = (folder.At("s.csv"), folder.At("s.json"), folder.At("s.html"));
        var run = await CommandLine.Run(
            "sweep",
            "--vcpus",
            "16,128",
            "--latency",
            "30us",
            "--mode",
            "userfault",
            "--touches",
            "16",
            "--ask-vcpus",
            "64",
            "--csv",
            csv,
            "--json",
            json,
            "--html",
            html
        );
        Assert.Equal(0, run.ExitCode);

        using var parsed = JsonDocument.Parse(await File.ReadAllTextAsync(json));
        var page = System.Net.WebUtility.HtmlDecode(await File.ReadAllTextAsync(html));
        var rows = (await File.ReadAllLinesAsync(csv)).Select(static row => row.Split(',')).ToList();
        var errorAt = Array.IndexOf(rows[0], "kernel_error");
        var words = new List<string>();
        foreach (var (curve, at) in parsed.RootElement.GetProperty("curves").EnumerateArray().Select((c, i) => (c, i)))
        {
            var points = curve.GetProperty("points").EnumerateArray().Select(static p => p.GetProperty("kernelError"));
            var (inside, beyond) = (points.First(), points.Last());
            Assert.False(inside.GetProperty("isExtrapolated").GetBoolean());
            Assert.True(beyond.GetProperty("isExtrapolated").GetBoolean());
            Assert.Equal(JsonValueKind.Null, beyond.GetProperty("worstError").ValueKind);
            var worst = inside.GetProperty("worstError").GetDouble();
            Assert.InRange(worst, 0.001, 0.4);
            Assert.Equal(
                worst,
                double.Parse(rows[1 + 2 * at][errorAt], System.Globalization.CultureInfo.InvariantCulture),
                3
            );
            Assert.Equal("", rows[2 + 2 * at][errorAt]);
            words.AddRange([inside.GetProperty("words").GetString()!, beyond.GetProperty("words").GetString()!]);
        }

        // x86 has two cells at either end, arm64 one: that is said.
        Assert.Equal(4, words.Distinct().Count());
        var singles = parsed
            .RootElement.GetProperty("curves")
            .EnumerateArray()
            .Select(static c => c.GetProperty("points")[0].GetProperty("kernelError").GetProperty("singleCellsAt"))
            .Select(static s => s.EnumerateArray().Select(static n => n.GetInt32()).ToArray());
        Assert.Equal(
            [
                [],
                [8, 64],
            ],
            singles
        );
        Assert.All(words, text => Assert.Contains(text, run.Output, StringComparison.Ordinal));
        Assert.All(words, text => Assert.Contains($"<li>{text}</li>", page, StringComparison.Ordinal));
        foreach (var answer in parsed.RootElement.GetProperty("answers").EnumerateArray())
            Assert.False(answer.GetProperty("kernelError").GetProperty("isExtrapolated").GetBoolean());
    }

    [Fact]
    public async Task A_descriptor_per_vCPU_on_arm64_is_said_not_to_be_measured()
    {
        var run = await CommandLine.Run(
            "sweep",
            "--vcpus",
            "8",
            "--latency",
            "30us",
            "--mode",
            "userfaultfd",
            "--uffds",
            "multiple",
            "--touches",
            "16",
            "--no-answers",
            "--json",
            "-"
        );
        Assert.Equal(0, run.ExitCode);
        using var parsed = JsonDocument.Parse(run.Output);
        var errors = parsed
            .RootElement.GetProperty("curves")
            .EnumerateArray()
            .ToDictionary(
                static c => c.GetProperty("arch").GetString()!,
                static c => c.GetProperty("points")[0].GetProperty("kernelError")
            );
        Assert.Equal(2, errors["x86"].GetProperty("cells").GetInt32());
        Assert.Equal(2, errors["x86"].GetProperty("singleCellsAt").GetArrayLength());
        Assert.Equal(0, errors["arm64"].GetProperty("cells").GetInt32());
        Assert.Equal(2, errors["arm64"].GetProperty("cellsElsewhere").GetInt32());
    }

    public static TheoryData<string, string> Bad() =>
        new()
        {
            { "--vcpus", "0" },
            { "--vcpus", "1..9999" },
            { "--latency", "30 parsecs" },
            { "--mode", "magic" },
            { "--arch", "sparc" },
            { "--fetchers", "none" },
            { "--prefetch", "hope" },
            { "--prefetch", "locality:many" },
            { "--bandwidth", "wide" },
            { "--fetcher-rate", "-1" },
            { "--think", "long" },
            { "--memory-per-vcpu", "1" },
            { "--memory", "64K" },
            { "--touches", "99999999" },
            { "--backing", "paper" },
            { "--uffds", "three" },
            { "--readers", "few" },
            { "--recorded", "2" },
            { "--csv", "/no/such/folder/s.csv" },
            { "--html", "" },
        };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_option_is_one_line(string option, string value) =>
        (await CommandLine.Run("sweep", option, value)).IsBadInput(option);
}
