using System.Text.Json;
using Userfault.Linux;
using Userfault.Tests;

namespace Userfault.Host.Tests;

/// <summary><c>bench handler</c> as a process, against handlers that serve and handlers that do not.</summary>
public class HandlerBenchCommandTests
{
    private const string Pages = "512";

    // Nobody is slow on purpose for so long: only what never answers is given up.
    private const string Patience = "120s";

    [SkippableFact]
    public async Task Two_handlers_side_by_side_with_and_without_load()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var image = await Serve(folder, "a");
        using var chunks = await Serve(folder, "b", "--chunk", "64");
        var run = await Bench(
            "--socket",
            $"pages={folder.At("a")}",
            "--socket",
            folder.At("b"),
            "--synthetic",
            "8M",
            "--touchers",
            "1,16",
            "--load",
            "1",
            "--rounds",
            "2",
            "--csv",
            folder.At("o.csv"),
            "--json",
            folder.At("o.json"),
            "--html",
            folder.At("o.html")
        );
        Assert.True(run.ExitCode == 0, run.Output + run.Error + image.All() + chunks.All());
        var report = ServeProcess.Report(folder.At("o.json"));
        Assert.True(report.GetProperty("isGood").GetBoolean());
        // 2 counts, 2 loads, 2 handlers, 2 rounds of 2048 pages.
        Assert.Equal(8, report.GetProperty("cells").GetArrayLength());
        Assert.Equal(16 * 2048, report.GetProperty("checked").GetInt64());
        Assert.True(report.GetProperty("floorUs").GetProperty("p50").GetDouble() > 0);
        var cell = report.GetProperty("cells")[7];
        Assert.Equal(
            ("b", 16, 1, "none"),
            (
                cell.GetProperty("handler").GetString(),
                cell.GetProperty("touchers").GetInt32(),
                cell.GetProperty("load").GetInt32(),
                cell.GetProperty("problem").GetString()
            )
        );
        foreach (var round in cell.GetProperty("rounds").EnumerateArray())
            Assert.Equal(2047, round.GetProperty("touches").GetInt64());
        Assert.InRange(cell.GetProperty("stallWorst").GetProperty("median").GetDouble(), 0.0001, 1);
        Assert.True(cell.GetProperty("ratio").GetProperty("median").GetDouble() > 0);
        Assert.Equal(9, (await File.ReadAllLinesAsync(folder.At("o.csv"))).Length);
        Assert.Contains("pages", await File.ReadAllTextAsync(folder.At("o.html")), StringComparison.Ordinal);
        Assert.Contains("p99.9", run.Output, StringComparison.Ordinal);
    }

    [SkippableFact]
    public async Task The_secret_free_form_over_the_socket()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var serve = await Serve(folder, "s");
        var report = await Json(
            0,
            "--socket",
            folder.At("s"),
            "--synthetic",
            "8M",
            "--pages",
            Pages,
            "--touchers",
            "4",
            "--memory",
            "secret_free",
            "--think",
            "5us",
            "--pattern",
            "sequential"
        );
        Assert.Equal(512, report.GetProperty("checked").GetInt64());
        Assert.Equal(
            ("secret_free", 5.0),
            (report.GetProperty("handlers")[0].GetProperty("memory").GetString(), Us(report, "thinkUs"))
        );
    }

    [SkippableFact]
    public async Task A_handler_that_ends_its_monitor_does_not_end_the_bench()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var small = await Serve(folder, "small");
        using var good = new FakeHandler(folder.At("good"), FakeBehaviour.Serves);
        // More pages than its image has: it refuses them, and ends the process that has sent them.
        var report = await Json(
            1,
            "--socket",
            folder.At("small"),
            "--socket",
            folder.At("good"),
            "--pages",
            "4096",
            "--touchers",
            "2"
        );
        Assert.Equal(("monitor_killed", "none"), (Problem(report, "small"), Problem(report, "good")));
    }

    [SkippableTheory]
    [InlineData(nameof(FakeBehaviour.Serves), "anonymous", Patience, "none")]
    [InlineData(nameof(FakeBehaviour.KeepsOneBack), "anonymous", Patience, "none")]
    [InlineData(nameof(FakeBehaviour.Silent), "anonymous", "200ms", "no_answer")]
    [InlineData(nameof(FakeBehaviour.Silent), "secret_free", "200ms", "no_answer")]
    [InlineData(nameof(FakeBehaviour.Closes), "anonymous", Patience, "closed")]
    [InlineData(nameof(FakeBehaviour.Closes), "secret_free", Patience, "closed")]
    [InlineData(nameof(FakeBehaviour.AnswersForeign), "secret_free", Patience, "wrong_answer")]
    public async Task What_a_handler_does_is_told(string behaviour, string memory, string patience, string problem)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var fake = new FakeHandler(folder.At("fake"), Enum.Parse<FakeBehaviour>(behaviour));
        var report = await Json(
            problem == "none" ? 0 : 1,
            "--socket",
            folder.At("fake"),
            "--pages",
            Pages,
            "--touchers",
            "4",
            "--memory",
            memory,
            "--patience",
            patience
        );
        Assert.Equal(problem, Problem(report, "fake"));
    }

    [SkippableFact]
    public async Task Wrong_content_is_found()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var fake = new FakeHandler(folder.At("fake"), FakeBehaviour.Serves);
        string[] args = ["--socket", folder.At("fake"), "--synthetic", "2M", "--touchers", "4"];
        Assert.Equal("none", Problem(await Json(0, [.. args, "--zero-share", "1"]), "fake"));
        Assert.Equal("wrong_content", Problem(await Json(1, [.. args, "--zero-share", "0"]), "fake"));
    }

    [SkippableFact]
    public async Task A_socket_where_nobody_listens_any_more()
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        UnixSocket.Listen(folder.At("left")).Dispose();
        (await Bench("--socket", folder.At("left"), "--pages", Pages, "--touchers", "1")).IsBadInput(
            "--socket",
            folder.At("left")
        );
    }

    /// <summary>Threads sleep on pages that never come, in a process that must not stay.</summary>
    [SkippableTheory]
    [InlineData("INT", 130)]
    [InlineData("KILL", 137)]
    public async Task No_process_is_left_when_the_bench_is_stopped(string signal, int exitCode)
    {
        Here.NeedsUserfaultfd();
        using var folder = new TemporaryFolder();
        using var fake = new FakeHandler(folder.At("fake"), FakeBehaviour.Silent);
        using var bench = new ServeProcess([
            "bench",
            "handler",
            "--socket",
            folder.At("fake"),
            "--pages",
            Pages,
            "--touchers",
            "4",
            "--patience",
            "300s",
        ]);
        await fake.HandedOver.Task.WaitAsync(Userfault.Tests.Patience.Longest);
        bench.Signal(signal);
        Assert.Equal(exitCode, await bench.End());
        await fake.Gone.Task.WaitAsync(Userfault.Tests.Patience.Longest);
    }

    public static TheoryData<string, string> Bad() =>
        new()
        {
            { "--touchers", "0" },
            { "--touchers", "513" },
            { "--touchers", "1,many" },
            { "--load", "-1" },
            { "--pages", "1" },
            { "--pages", "9999999999" },
            { "--memory", "paper" },
            { "--pattern", "zipf" },
            { "--think", "long" },
            { "--rounds", "0" },
            { "--seconds", "0" },
            { "--patience", "soon" },
            { "--synthetic", "nothing" },
            { "--image", "/no/such/image" },
            { "--csv", "/no/such/folder/o.csv" },
            { "--json", "/no/such/folder/o.json" },
            { "--html", "/no/such/folder/o.html" },
        };

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task A_bad_option_is_one_line(string option, string value) =>
        (await CommandLine.Run("bench", "handler", "--socket", "/no/such/socket", option, value)).IsBadInput(
            option == "--image" ? value : option
        );

    [Fact]
    public async Task Sockets_are_checked_before_the_run()
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.At("file"), "");
        using var one = UnixSocket.Listen(folder.At("one.sock"));
        Directory.CreateDirectory(folder.At("other"));
        using var other = UnixSocket.Listen(folder.At("other/one.sock"));
        (await Bench()).IsBadInput("--socket");
        (await Bench("--socket", folder.At("none"))).IsBadInput("--socket", folder.At("none"));
        (await Bench("--socket", folder.At("file"))).IsBadInput("--socket", folder.At("file"));
        (await Bench("--socket", folder.At("one.sock"), "--socket", folder.At("other/one.sock"))).IsBadInput(
            "--socket",
            "one"
        );
        (await Bench("--socket", folder.At("one.sock"), "--pages", "8", "--touchers", "8")).IsBadInput("--touchers");
        (await Bench("--socket", folder.At("one.sock"), "--synthetic", "1M", "--pages", "300")).IsBadInput("--pages");
        (await Bench("--socket", folder.At("one.sock"), "--memory", "two=anonymous")).IsBadInput("--memory", "two");
        (await Bench("--socket", folder.At("one.sock"), "--memory", "anonymous", "--memory", "secret_free")).IsBadInput(
            "--memory"
        );
        (
            await Bench(
                "--socket",
                folder.At("one.sock"),
                "--socket",
                $"b={folder.At("other/one.sock")}",
                "--memory",
                "b=huge_pages",
                "--touchers",
                "1"
            )
        ).IsBadInput("--memory");
        (await Bench("--image", folder.At("file"), "--csv", folder.At("file"))).IsBadInput("--csv", folder.At("file"));
    }

    private static Task<CommandLine.Result> Bench(params string[] args) =>
        CommandLine.Run(["bench", "handler", .. args]);

    // One round; the report is checked against the exit code.
    private static async Task<JsonElement> Json(int exitCode, params string[] args)
    {
        var run = await Bench(["--rounds", "1", "--json", "-", .. args]);
        Assert.True(run.ExitCode == exitCode, run.Output + run.Error);
        var report = JsonDocument.Parse(run.Output).RootElement;
        Assert.Equal(exitCode == 0, report.GetProperty("isGood").GetBoolean());
        return report;
    }

    private static string? Problem(JsonElement report, string handler) =>
        report
            .GetProperty("cells")
            .EnumerateArray()
            .Single(c => c.GetProperty("handler").GetString() == handler)
            .GetProperty("problem")
            .GetString();

    private static double Us(JsonElement report, string name) => report.GetProperty(name).GetDouble();

    private static async Task<ServeProcess> Serve(TemporaryFolder folder, string socket, params string[] args)
    {
        var serve = new ServeProcess([
            "serve",
            "--socket",
            folder.At(socket),
            "--synthetic",
            "8M",
            "--push",
            "none",
            .. args,
        ]);
        await serve.Line(Handler.HandlerEvent.Listening);
        return serve;
    }
}
