namespace Userfault.Host.Tests.Cluster;

/// <summary>Nodes that stand still for long (SIGSTOP) and go on as if nothing had been.</summary>
public sealed class StoppedNodeTests : ClusterSpec
{
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
        // Slow enough not to be done with what is on its way before it notices that the others have gone.
        using var migration = CommandLine.Start(["migrate", "--cluster", source.Address, .. SlowGuest.Select(arg => arg == "1e6" ? "2e5" : arg), .. quick]);
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
        // Once when it was cut off. A second time where it gave way to the destination; a destination that hears first that it was given
        // up joins anew itself.
        Assert.InRange(source.Complaints.Count(line => line.EndsWith("joins again", StringComparison.Ordinal)), 1, int.MaxValue);
    }

    // By its own rule it would wait ten minutes before it goes.
    [Fact]
    public async Task A_node_that_was_given_up_while_it_stood_still_hears_of_it_and_joins_anew()
    {
        var quick = Config(Patient, "stable-after = 1s");
        var source = await Start("source", [.. Image, .. quick]);
        var fetchers = await Task.WhenAll(Start("fetcher", ["--seeds", source.Address, .. quick]),
            Start("fetcher", ["--seeds", source.Address, .. Config(Patient, "stable-after = 10min")]));

        fetchers[1].Signal("STOP");
        await Until(async () => !Migration.Members(await Migration.Status(source.Address)).Contains(fetchers[1].Address, StringComparison.Ordinal));
        fetchers[1].Signal("CONT");

        await Until(() => Task.FromResult(Said(fetchers[1], "was cut off from the cluster; joins again")));
        await Agree([source, .. fetchers]);
    }
}
