using System.Diagnostics;
using System.Text.Json;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Sources, fetchers and the destination as separate processes; some of them are killed.</summary>
public sealed class ClusterTests : IDisposable
{
    private static readonly string[] Image = ["--synthetic", "32M"];

    // Four vCPUs, 2000 random accesses each, some seconds of guest time: long enough to do something meanwhile.
    private static readonly string[] SlowGuest =
        [.. Image, "--pattern", "random", "--overlapping", "--accesses", "2000", "--ips", "1e6", "--background", "none", "--json", "-"];

    private readonly List<NodeProcess> _nodes = [];
    private readonly TemporaryFolder _folder = new();

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task A_guest_arrives_from_a_source_in_another_process()
    {
        var source = await Start("source", Image);

        var run = await CommandLine.Run(["migrate", "--cluster", source.Address, .. Image, "--pattern", "random", "--json", "-"]);

        var report = Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal((1, 0), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        Assert.Equal(8192, report.GetProperty("pagesPresent").GetInt32());
        Assert.Equal(8192, report.GetProperty("details").GetProperty("fetches").GetProperty("delivered").GetInt32());
    }

    [Fact]
    public async Task A_fetcher_killed_while_the_guest_runs_costs_no_page_and_no_vcpu()
    {
        var source = await Start("source", Image);
        var fetchers = new[] { await StartAt(source, "fetcher"), await StartAt(source, "fetcher") };
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest]);
        await Line(migration, " running ");

        fetchers[0].Kill();

        var report = await End(migration);
        Assert.Equal((2, 1), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        Assert.All(report.GetProperty("details").GetProperty("vcpus").EnumerateArray(), vcpu => Assert.Equal(2000, vcpu.GetProperty("accesses").GetInt32()));
    }

    [Fact]
    public async Task A_source_that_is_killed_pauses_the_migration_until_it_is_back()
    {
        var source = await Start("source", Image);
        var fetcher = await StartAt(source, "fetcher");
        using var migration = CommandLine.Start(["migrate", "--cluster", fetcher.Address, .. SlowGuest]);
        await Line(migration, " running ");

        source.Kill();
        var paused = await Line(migration, "paused");
        await Start("source", [.. Image, "--port", source.Address.Split(':')[1], "--seeds", fetcher.Address]);

        Assert.Matches(@"\(no (page source|fetcher) is left\)", paused);
        var report = await End(migration);
        Assert.NotEqual(0, report.GetProperty("details").GetProperty("pauses").GetProperty("count").GetInt32());
        Assert.All(report.GetProperty("details").GetProperty("vcpus").EnumerateArray(), vcpu => Assert.Equal(2000, vcpu.GetProperty("accesses").GetInt32()));
    }

    [Fact]
    public async Task What_no_node_serves_is_bad_input()
    {
        var source = await Start("source", "--synthetic", "1M", "--seed", "7");
        var run = await CommandLine.Run(
            "migrate", "--cluster", source.Address, "--synthetic", "1M", "--config", _folder.Write("impatient.hocon", "userfault.cluster { join-timeout = 3s }"), "--json", "-");
        run.IsBadInput("--cluster", "no node serves image synthetic 256 pages, seed 1", "seed 7");
    }

    [Theory]
    [InlineData("--cluster", "--cluster", "nowhere")]
    [InlineData("--latency", "--cluster", "127.0.0.1:1", "--latency", "30us")]
    public async Task Options_that_do_not_fit_are_refused_by_name(string named, params string[] args) =>
        (await CommandLine.Run(["migrate", .. args])).IsBadInput(named);

    [Fact]
    public async Task The_demo_starts_its_nodes_migrates_and_stops_them()
    {
        var run = await CommandLine.Run(["cluster", "demo", "--nodes", "3", .. Image, "--pattern", "random", "--json", "-"]);

        var report = Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal((2, 0), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        var started = run.Error.Split('\n').Where(l => l.StartsWith("started ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["source", "fetcher", "fetcher"], started.Select(l => l.Split(' ')[1]));
        Assert.All(started, l => Assert.Throws<ArgumentException>(() => Process.GetProcessById(int.Parse(l.Split(' ')[^1], null))));
    }

    [Fact]
    public async Task A_role_that_does_not_exist_is_refused() =>
        (await CommandLine.Run("node", "--role", "king")).IsBadInput("--role", "king");

    private async Task<NodeProcess> Start(string role, params string[] args)
    {
        var node = await NodeProcess.Start(role, args);
        _nodes.Add(node);
        return node;
    }

    private Task<NodeProcess> StartAt(NodeProcess seed, string role) => Start(role, "--seeds", seed.Address);

    // With the JSON on standard output the progress is on standard error.
    private static async Task<string> Line(Process process, string part)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var said = "";
        while (await process.StandardError.ReadLineAsync(late.Token) is { } line)
        {
            if (line.Contains(part, StringComparison.Ordinal) && !line.Contains(" 0/", StringComparison.Ordinal)) return line;
            said += line + "\n";
        }

        throw new InvalidOperationException($"it ended without '{part}': {said}");
    }

    private static async Task<JsonElement> End(Process migration)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var error = migration.StandardError.ReadToEndAsync(late.Token);
        try
        {
            var output = await migration.StandardOutput.ReadToEndAsync(late.Token);
            await migration.WaitForExitAsync(late.Token);
            return Report(migration.ExitCode, output, await error);
        }
        finally
        {
            if (!migration.HasExited) migration.Kill();
        }
    }

    private static JsonElement Report(int exitCode, string output, string error)
    {
        Assert.True(exitCode == 0, $"exit code {exitCode}: {error}");
        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal("completed", report.GetProperty("state").GetString());
        Assert.True(report.GetProperty("verified").GetBoolean());
        Assert.Equal(0, report.GetProperty("details").GetProperty("verification").GetProperty("wrong").GetInt32());
        return report;
    }
}
