using Userfault.Cli;
using Userfault.Host.Tests.Security;
using Userfault.Tests;

namespace Userfault.Host.Tests.Cluster;

/// <summary>
/// Real nodes on two machines, as far as the network goes: a cable that is cut says nothing to anybody. Beyond loopback
/// they have certificates, so TLS handshakes are cut as well.
/// </summary>
public sealed class CutCableTests : IDisposable
{
    private readonly List<NodeProcess> _nodes = [];
    private readonly TemporaryFolder _folder = new();
    private readonly TestAuthority _authority = TestAuthority.Create();
    private Namespaces? _network;

    public void Dispose()
    {
        _nodes.ForEach(node => node.Dispose());
        _network?.Dispose();
        _folder.Dispose();
        _authority.Dispose();
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_migration_waits_for_the_cable_and_goes_on_with_what_was_missing(bool untilTheOthersHaveGivenUp)
    {
        _network = Namespaces.TryCreate(out var whyNot);
        Skip.If(_network is null, "no network namespaces: " + whyNot);
        var stable = untilTheOthersHaveGivenUp ? "1s" : "60s";
        var source = await Start(
            "source",
            ["--synthetic", "32M", "--config", Config(Namespaces.ThereAddress, stable, "join-timeout = 16s")]
        );
        var there = Config(Namespaces.ThereAddress, stable);
        var look = Config("127.0.0.1", stable);
        var fetcher = await Start("fetcher", ["--seeds", source.Address, "--config", there]);
        using var migration = CommandLine.StartIn(
            _network.Here,
            "migrate",
            "--cluster",
            fetcher.Address,
            "--synthetic",
            "32M",
            "--pattern",
            "random",
            "--overlapping",
            "--accesses",
            "2000",
            "--ips",
            "1e6",
            "--background",
            "none",
            "--json",
            "-",
            "--config",
            Config(Namespaces.HereAddress, stable)
        );
        try
        {
            await Migration.Line(migration, " running ");
            _network.Cut();
            Assert.Matches(@"\(no (page source|fetcher) is left\)", await Migration.Line(migration, "paused"));
            if (untilTheOthersHaveGivenUp)
            {
                await Eventually.Holds(
                    () =>
                        Said(source, NodeEvent.CutOff)
                        && Said(fetcher, NodeEvent.CutOff)
                        && Said(source, NodeEvent.Retries),
                    () => string.Join('\n', [.. source.Complaints, .. fetcher.Complaints])
                );
                await Eventually.Holds(async () =>
                    Migration.Members(await Migration.StatusIn(_network.There, source.Address, look)).Split(", ").Length
                    == 2
                );
            }

            _network.Mend();
            var report = await Migration.End(migration);

            // A slow machine may lose sight of the others once more.
            var pauses = report.GetProperty("details").GetProperty("pauses").GetProperty("count").GetInt32();
            Assert.InRange(pauses, 1, int.MaxValue);
            Migration.AllVcpusFinished(report, 2000);
            // Nothing comes twice, beyond what was on its way.
            var present = report.GetProperty("pagesPresent").GetInt64();
            Assert.InRange(
                report.GetProperty("details").GetProperty("fetches").GetProperty("delivered").GetInt64(),
                present,
                present + (512 * pauses)
            );
            // Once when it was cut off, once when it found the others again.
            var joinings = source.Count(NodeEvent.CutOff) + source.Count(NodeEvent.ClusterFound);
            Assert.InRange(joinings, untilTheOthersHaveGivenUp ? 2 : 0, untilTheOthersHaveGivenUp ? int.MaxValue : 0);
        }
        finally
        {
            if (!migration.HasExited)
                migration.Kill();
        }
    }

    // On the other side of the cable is another destination with more members: this one's membership ends, its guest
    // does not.
    [SkippableFact]
    public async Task A_destination_cut_off_from_anothers_side_is_in_again_once_the_cable_is_mended()
    {
        _network = Namespaces.TryCreate(out var whyNot);
        Skip.If(_network is null, "no network namespaces: " + whyNot);
        var there = Config(Namespaces.ThereAddress, "1s");
        var look = Config("127.0.0.1", "1s");
        var source = await Start("source", ["--synthetic", "32M", "--config", there]);
        using var other = CommandLine.StartIn(
            _network.There,
            "migrate",
            "--cluster",
            source.Address,
            "--synthetic",
            "32M",
            "--overlapping",
            "--accesses",
            "1000000",
            "--ips",
            "1e3",
            "--background",
            "none",
            "--pattern",
            "random",
            "--json",
            "-",
            "--config",
            there
        );
        using var migration = CommandLine.StartIn(
            _network.Here,
            "migrate",
            "--cluster",
            source.Address,
            "--synthetic",
            "32M",
            "--pattern",
            "random",
            "--overlapping",
            "--accesses",
            "2000",
            "--ips",
            "1e6",
            "--background",
            "none",
            "--json",
            "-",
            "--config",
            Config(Namespaces.HereAddress, "1s")
        );
        try
        {
            await Migration.Line(other, " running ");
            await Migration.Line(migration, " running ");
            _network.Cut();
            // The page connections and the membership notice the cut each for itself, so either may be first.
            await Migration.Lines(migration, "paused", $"{NodeEvent.CutOff}");
            await Eventually.Holds(async () =>
                Migration.Members(await Migration.StatusIn(_network.There, source.Address, look)).Split(", ").Length
                == 2
            );

            _network.Mend();
            var report = await Migration.End(migration);

            Assert.NotEqual(0, report.GetProperty("details").GetProperty("pauses").GetProperty("count").GetInt32());
            Migration.AllVcpusFinished(report, 2000);
        }
        finally
        {
            if (!migration.HasExited)
                migration.Kill();
            if (!other.HasExited)
                other.Kill();
        }
    }

    // Their rules differ, so that both sides stay: each gives up the other, which Akka.Remote then never lets talk to
    // it again.
    [SkippableFact]
    public async Task Two_sides_that_have_given_up_each_other_are_one_cluster_again_once_the_cable_is_mended()
    {
        _network = Namespaces.TryCreate(out var whyNot);
        Skip.If(_network is null, "no network namespaces: " + whyNot);
        var there = Config(Namespaces.ThereAddress, "1s", "split-brain = keep-majority, join-timeout = 120s");
        var source = await Start("source", ["--synthetic", "32M", "--config", there]);
        var fetcher = await Start("fetcher", ["--seeds", source.Address, "--config", there]);
        using var migration = CommandLine.StartIn(
            _network.Here,
            "migrate",
            "--cluster",
            source.Address,
            "--synthetic",
            "32M",
            "--pattern",
            "random",
            "--overlapping",
            "--accesses",
            "2000",
            "--ips",
            "1e6",
            "--background",
            "none",
            "--json",
            "-",
            "--config",
            Config(Namespaces.HereAddress, "1s")
        );
        try
        {
            await Migration.Line(migration, " running ");
            _network.Cut();
            await Migration.Line(migration, $"{source.Address} has been out of reach");
            await Eventually.Holds(async () =>
                Migration.Members(await Migration.StatusIn(_network.There, source.Address, there)).Split(", ").Length
                == 2
            );
            Assert.All(
                [source, fetcher],
                node => Assert.Equal(0, node.Count(NodeEvent.CutOff) + node.Count(NodeEvent.ClusterFound))
            );

            _network.Mend();
            Migration.AllVcpusFinished(await Migration.End(migration), 2000);

            // The side without a destination has given way.
            Assert.True(Said(source, NodeEvent.ClusterFound) && Said(fetcher, NodeEvent.ClusterFound));
        }
        finally
        {
            if (!migration.HasExited)
                migration.Kill();
        }
    }

    private static bool Said(NodeProcess node, NodeEvent what) => node.Count(what) > 0;

    private string Config(string host, string stableAfter, string more = "join-timeout = 120s") =>
        _authority.Settings(_folder, $"host = \"{host}\", stable-after = {stableAfter}, {more}");

    private async Task<NodeProcess> Start(string role, params string[] args)
    {
        var node = await NodeProcess.StartIn(_network!.There, role, args);
        _nodes.Add(node);
        return node;
    }
}
