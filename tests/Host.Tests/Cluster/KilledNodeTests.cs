using System.Text.RegularExpressions;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>Nodes that end as in a power cut (kill -9), in the middle of a migration.</summary>
public sealed class KilledNodeTests : ClusterSpec
{
    [Fact]
    public async Task A_fetcher_killed_while_the_guest_runs_costs_no_page_and_no_vcpu()
    {
        var quick = Config(Patient, "stable-after = 2s");
        var source = await Start("source", [.. Image, .. quick]);
        var fetchers = await Task.WhenAll(
            Enumerable.Range(0, 2).Select(_ => Start("fetcher", ["--seeds", source.Address, .. quick]))
        );
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest, .. quick]);
        await Migration.Line(migration, " running ");

        fetchers[0].Kill();

        var report = await Migration.End(migration);
        // A slow machine may lose sight of others as well.
        Assert.InRange(report.GetProperty("nodes").GetInt32(), 2, 3);
        Assert.InRange(report.GetProperty("lostNodes").GetInt32(), 1, 3);
        Migration.AllVcpusFinished(report, 2000);
        await Agree(source, fetchers[1]);
        // The engine's own words about it reach nobody.
        Assert.DoesNotContain(
            [.. source.Complaints, .. fetchers[1].Complaints],
            line => line.Contains("akka", StringComparison.OrdinalIgnoreCase)
        );
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
        await Start(
            "source",
            [.. Image, "--port", source.Address.Split(':')[1], "--seeds", fetcher.Address, .. patient]
        );

        Assert.Matches(@"\(no (page source|fetcher) is left\)", paused);
        var report = await Migration.End(migration);
        Assert.NotEqual(0, report.GetProperty("details").GetProperty("pauses").GetProperty("count").GetInt32());
        Migration.AllVcpusFinished(report, 2000);
    }

    [Fact]
    public async Task A_destination_that_is_killed_leaves_the_source_with_everything_and_it_says_so()
    {
        var patient = Config(Patient);
        // The source looks for the destination a while before it goes on without it.
        var source = await Start("source", [.. Image, .. Config("join-timeout = 16s", "stable-after = 1s")]);
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest, .. patient]);
        await Migration.Line(migration, " running ");
        // What other nodes know of a destination is told once an interval: before that, nobody misses it.
        await Eventually.Holds(async () =>
            (await Migration.Status(source.Address))
                .GetProperty("nodes")
                .EnumerateArray()
                .Any(static n => n.GetProperty("state").GetString()!.StartsWith("running", StringComparison.Ordinal))
        );

        migration.Kill();

        const string said = @"DestinationLost: .*127\.0\.0\.1:\d+ .*\d+ of 8192 pages";
        await Eventually.Holds(() =>
            source.Complaints.Any(line => line.Contains("DestinationLost: ", StringComparison.Ordinal))
        );
        Assert.Matches(
            said,
            Assert.Single(source.Complaints, line => line.Contains("DestinationLost: ", StringComparison.Ordinal))
        );
        // A node's state is told anew once an interval.
        await Eventually.Holds(async () =>
            (await Migration.Status(source.Address))
                .GetProperty("nodes")
                .EnumerateArray()
                .Any(n =>
                    n.GetProperty("node").GetString() == source.Address
                    && Regex.IsMatch(n.GetProperty("state").GetString()!, said)
                )
        );

        var again = await CommandLine.Run([
            "migrate",
            "--cluster",
            source.Address,
            .. Image,
            "--pattern",
            "random",
            "--json",
            "-",
            .. patient,
        ]);
        Migration.Report(again.ExitCode, again.Output, again.Error);
    }
}
