using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Sources, fetchers and the destination as separate processes; some of them are killed.</summary>
public sealed class ClusterTests : IDisposable
{
    // A machine that does much else takes its time to let a node in.
    private const string Patient = "join-timeout = 120s";

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
    public async Task A_fetcher_killed_while_the_guest_runs_costs_no_page_and_no_vcpu()
    {
        var quick = Config(Patient, "stable-after = 2s");
        var source = await Start("source", [.. Image, .. quick]);
        var fetchers = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Start("fetcher", ["--seeds", source.Address, .. quick])));
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest, .. quick]);
        await Migration.Line(migration, " running ");

        fetchers[0].Kill();

        var report = await Migration.End(migration);
        Assert.Equal((2, 1), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        Migration.AllVcpusFinished(report, 2000);
        await Agree(source, fetchers[1]);
        // The destination has left meanwhile, with nobody to see it off: who is left stays where it is.
        Assert.DoesNotContain(source.Complaints.Concat(fetchers[1].Complaints), line => line.Contains("cut off", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_source_that_is_killed_pauses_the_migration_until_it_is_back()
    {
        var patient = Config(Patient);
        var source = await Start("source", [.. Image, .. patient]);
        var fetcher = await Start("fetcher", ["--seeds", source.Address, .. patient]);
        using var migration = CommandLine.Start(["migrate", "--cluster", fetcher.Address, .. SlowGuest, .. patient]);
        await Migration.Line(migration, " running ");

        source.Kill();
        var paused = await Migration.Line(migration, "paused");
        await Start("source", [.. Image, "--port", source.Address.Split(':')[1], "--seeds", fetcher.Address, .. patient]);

        Assert.Matches(@"\(no (page source|fetcher) is left\)", paused);
        var report = await Migration.End(migration);
        Assert.NotEqual(0, report.GetProperty("details").GetProperty("pauses").GetProperty("count").GetInt32());
        Migration.AllVcpusFinished(report, 2000);
    }

    [Fact]
    public async Task A_source_that_stands_still_is_done_without_and_joins_anew()
    {
        var quick = Config(Patient, "stable-after = 2s");
        var source = await Start("source", [.. Image, .. quick]);
        var fetcher = await Start("fetcher", ["--seeds", source.Address, .. quick]);
        using var migration = CommandLine.Start(["migrate", "--cluster", fetcher.Address, .. SlowGuest, .. quick]);
        await Migration.Line(migration, " running ");

        source.Signal("STOP");
        await Migration.Line(migration, "paused");
        await Until(async () => !Migration.Members(await Migration.Status(fetcher.Address)).Contains(source.Address, StringComparison.Ordinal));
        source.Signal("CONT");

        Migration.AllVcpusFinished(await Migration.End(migration), 2000);
        Assert.Contains(source.Complaints, line => line.Contains("joins again", StringComparison.Ordinal));
        await Agree(source, fetcher);
    }

    [Fact]
    public async Task A_destination_that_stands_still_for_long_is_found_again_by_those_who_began_anew_without_it()
    {
        var quick = Config(Patient, "stable-after = 1s");
        var source = await Start("source", [.. Image, .. Config("join-timeout = 16s", "stable-after = 1s")]);
        var fetcher = await Start("fetcher", ["--seeds", source.Address, .. quick]);
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest, .. quick]);
        await Migration.Line(migration, " running ");

        NodeProcess.Signal(migration, "STOP");
        try
        {
            // Without the destination both go, and the source begins a cluster that the fetcher joins.
            await Until(() => Task.FromResult(Said(source, "was cut off") && Said(fetcher, "was cut off") && Said(source, "tries again")));
            await Agree(source, fetcher);
        }
        finally
        {
            NodeProcess.Signal(migration, "CONT");
        }

        Migration.AllVcpusFinished(await Migration.End(migration), 2000);
        Assert.InRange(source.Complaints.Count(line => line.EndsWith("joins again", StringComparison.Ordinal)), 2, int.MaxValue);

        static bool Said(NodeProcess node, string part) => node.Complaints.Any(line => line.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_destination_that_is_killed_leaves_the_source_with_everything_and_it_says_so()
    {
        var patient = Config(Patient);
        // The source looks for the destination a while before it goes on without it.
        var source = await Start("source", [.. Image, .. Config("join-timeout = 16s", "stable-after = 1s")]);
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest, .. patient]);
        await Migration.Line(migration, " running ");

        migration.Kill();

        const string said = @"destination 127\.0\.0\.1:\d+ was lost with \d+ of 8192 pages in place; every page is still here";
        await Until(() => Task.FromResult(source.Complaints.Any(line => line.Contains("was lost with", StringComparison.Ordinal))));
        Assert.Matches(said, Assert.Single(source.Complaints, line => line.Contains("was lost with", StringComparison.Ordinal)));
        // A node's state is told anew once an interval.
        await Until(async () => (await Migration.Status(source.Address)).GetProperty("nodes").EnumerateArray()
            .Any(n => n.GetProperty("node").GetString() == source.Address && Regex.IsMatch(n.GetProperty("state").GetString()!, said)));

        var again = await CommandLine.Run(["migrate", "--cluster", source.Address, .. Image, "--pattern", "random", "--json", "-", .. patient]);
        Migration.Report(again.ExitCode, again.Output, again.Error);
    }

    // The image has a hole, which the destination hears of from the source.
    [Fact]
    public async Task Nodes_with_several_images_are_told_apart_by_the_one_that_is_named()
    {
        var patient = Config(Patient);
        var elf = _folder.Write("hole.elf", HoledElf());
        var source = await Start("source", ["--image", elf, .. patient]);

        var run = await CommandLine.Run(["migrate", "--cluster", source.Address, "--pattern", "sequential", "--vcpus", "1", "--json", "-", .. patient]);
        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal(5, report.GetProperty("details").GetProperty("verification").GetProperty("verified").GetInt32());
        Assert.Contains("5 pages (20.0 KiB) in 2 ranges below 28.0 KiB", run.Error, StringComparison.Ordinal);

        await Start("source", ["--synthetic", "1M", "--seeds", source.Address, .. patient]);
        (await CommandLine.Run(["migrate", "--cluster", source.Address, "--json", "-", .. patient]))
            .IsBadInput("--cluster", "several images", "hole.elf", "synthetic 256 pages", "--image");
    }

    [Fact]
    public async Task A_destination_that_is_there_first_waits_for_its_source()
    {
        var patient = Config(Patient);
        using var destination = CommandLine.Start(["node", "--role", "destination", "--until-stdin-closes", .. SlowGuest[2..], .. patient]);
        var at = (await Migration.Line(destination, "userfault node: destination at ")).Split(' ')[^1];

        await Start("source", [.. Image, "--seeds", at, .. patient]);

        Migration.AllVcpusFinished(await Migration.End(destination), 2000);
    }

    [Fact]
    public async Task With_tls_nodes_of_one_authority_meet_and_others_stay_out()
    {
        using var ours = new Certificates(_folder, "ours");
        using var theirs = new Certificates(_folder, "theirs");
        var source = await Start("source", [.. Image, "--config", ours.Node("cookie = secret")]);

        var let = await CommandLine.Run(
            ["migrate", "--cluster", source.Address, .. Image, "--pattern", "random", "--json", "-", "--config", ours.Node($"cookie = secret, {Patient}")]);
        Migration.Report(let.ExitCode, let.Output, let.Error);

        var stranger = await CommandLine.Run(
            ["migrate", "--cluster", source.Address, .. Image, "--json", "-", "--config", theirs.Node("cookie = secret, join-timeout = 2s")]);
        Assert.Equal(2, stranger.ExitCode);
        Assert.Contains("has let this one in", stranger.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("userfault.cluster.tls.certificate", "tls.certificate = nowhere.pfx")]
    [InlineData("userfault.cluster.tls.authority", "tls { certificate = \"no/where.pfx\", authority = \"no/where.pem\" }", "no/where.pfx")]
    [InlineData("userfault.cluster.split-brain", "split-brain = flip-a-coin", "keep-destination")]
    [InlineData("userfault.cluster.stable-after", "stable-after = soon")]
    [InlineData("userfault.cluster.metrics-port", "metrics-port = 70000")]
    public async Task Settings_that_make_no_cluster_are_refused_by_name(string key, string setting, string also = "") =>
        (await CommandLine.Run("node", "--role", "source", "--synthetic", "1M", "--config", _folder.Write("bad.hocon", $"userfault.cluster {{ {setting} }}")))
            .IsBadInput(also.Length == 0 ? key : also, also);

    [Theory]
    [InlineData("--cluster", "--cluster", "nowhere")]
    [InlineData("--latency", "--cluster", "127.0.0.1:1", "--latency", "30us")]
    public async Task Options_that_do_not_fit_are_refused_by_name(string named, params string[] args) =>
        (await CommandLine.Run(["migrate", .. args])).IsBadInput(named);

    [Fact]
    public async Task The_demo_starts_its_nodes_migrates_and_stops_them()
    {
        var run = await CommandLine.Run(["cluster", "demo", "--nodes", "4", .. Image, "--pattern", "random", "--json", "-", .. Config(Patient)]);

        var report = Migration.Report(run.ExitCode, run.Output, run.Error);
        Assert.Equal((2, 0), (report.GetProperty("nodes").GetInt32(), report.GetProperty("lostNodes").GetInt32()));
        var started = run.Error.Split('\n').Where(l => l.StartsWith("started ", StringComparison.Ordinal)).ToList();
        Assert.Equal(["fetcher", "fetcher", "source", "source"], started.Select(l => l.Split(' ')[1]).Order(StringComparer.Ordinal));
        Assert.All(started, l => Assert.Throws<ArgumentException>(() => Process.GetProcessById(int.Parse(l.Split(' ')[^1], null))));
    }

    [Fact]
    public async Task A_role_that_does_not_exist_is_refused() =>
        (await CommandLine.Run("node", "--role", "king")).IsBadInput("--role", "king");

    // Two pages, a hole of two, three pages; the third word of the last page is not zero.
    private static byte[] HoledElf()
    {
        var file = new byte[176 + (5 * 4096)];
        new byte[] { 0x7f, 0x45, 0x4c, 0x46, 2, 1, 1 }.CopyTo(file, 0);
        (file[16], file[18], file[20], file[32], file[52], file[54], file[56]) = (4, 62, 1, 64, 64, 56, 2);
        Segment(64, 176, 0, 2);
        Segment(120, 176 + (2 * 4096), 4, 3);
        file[^4080] = 1;
        return file;

        void Segment(int at, long offset, long page, long pages)
        {
            file[at] = 1;
            BitConverter.TryWriteBytes(file.AsSpan(at + 8), offset);
            foreach (var address in new[] { 16, 24 }) BitConverter.TryWriteBytes(file.AsSpan(at + address), page * 4096);
            foreach (var size in new[] { 32, 40 }) BitConverter.TryWriteBytes(file.AsSpan(at + size), pages * 4096);
        }
    }

    private async Task<NodeProcess> Start(string role, params string[] args)
    {
        var node = await NodeProcess.Start(role, args);
        _nodes.Add(node);
        return node;
    }

    private string[] Config(params string[] settings) =>
        ["--config", _folder.Write($"{string.Concat(settings).GetHashCode(StringComparison.Ordinal):x}.hocon", $"userfault.cluster {{ {string.Join(", ", settings)} }}")];

    private async Task Agree(params NodeProcess[] survivors) => await Until(async () =>
    {
        var views = new List<string>();
        foreach (var survivor in survivors) views.Add(Migration.Members(await Migration.Status(survivor.Address)));
        return views.Distinct().Count() == 1 && !views[0].Contains("False", StringComparison.Ordinal)
            && survivors.All(s => views[0].Contains(s.Address, StringComparison.Ordinal));
    });

    internal static async Task Until(Func<Task<bool>> holds)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await holds())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromMinutes(3), "it never held");
            await Task.Delay(100);
        }
    }
}
