using Userfault.Actors;
using Userfault.Nodes;
using Userfault.Paging;
using Userfault.Simulation.Cluster;

namespace Userfault.Simulation.Tests.Cluster;

/// <summary>Whole clusters in a world: forming, partitions, deaths and returns, and migrations through them.</summary>
public sealed class SimClusterTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    public static TheoryData<ulong> Seeds => [1, 2];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nodes_form_one_cluster_and_survive_a_partition(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Members(world, 5);
        Assert.True(world.RunUntil(cluster.HasConverged, Long));

        cluster.Isolate(cluster["node-1"], cluster["node-4"]);
        Assert.True(world.RunUntil(() => cluster["node-0"].Membership!.Members.Count(static m => !m.IsReachable) == 2, Long));
        Assert.False(cluster.HasConverged());
        cluster.Heal();
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void A_node_that_is_started_again_is_another_incarnation(ulong seed, bool silently)
    {
        using var world = new SimWorld(seed);
        var cluster = Members(world, 4);
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        var former = cluster["node-2"].Membership!.Self;

        cluster.Kill(cluster["node-2"], silently);
        Assert.True(world.RunUntil(() => cluster["node-0"].Membership!.Members.Count(static m => !m.IsReachable) == 1, Long));
        cluster.Restart(cluster["node-2"]);
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        Assert.NotEqual(former, cluster["node-2"].Membership!.Self);
        Assert.Equal(former.Address, cluster["node-2"].Membership!.Self.Address);
    }

    [Fact]
    public void A_minority_that_is_cut_off_is_downed_where_splits_are_resolved()
    {
        using var world = new SimWorld(4);
        var cluster = Members(world, 5, new SimClusterSettings { ResolvesSplits = true });
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        cluster.Isolate(cluster["node-3"]);
        Assert.True(world.RunUntil(() => cluster["node-3"].Membership!.IsOver, Long));
        Assert.True(world.RunUntil(() => cluster["node-0"].Membership!.Members.Count == 4, Long));
    }

    // A destination's membership is a system of its own, beside its guest's: what ends and begins anew here is that.
    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_destinations_membership_ends_on_the_smaller_side_and_the_next_is_let_in(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = new SimCluster(world, new SimClusterSettings { ResolvesSplits = true });
        foreach (var (name, role) in new[] { ("source", NodeRoles.Source), ("fetcher", NodeRoles.Fetcher), ("near", NodeRoles.Destination), ("far", NodeRoles.Destination) })
            cluster.AddMember(name, role);
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        var (far, former) = (cluster["far"], cluster["far"].Membership!.Self);

        cluster.Isolate(far);
        Assert.True(world.RunUntil(() => far.Membership!.IsOver && cluster["source"].Membership!.Members.Count == 3, Long));
        Assert.All(["source", "fetcher", "near"], name => Assert.False(cluster[name].Membership!.IsOver));

        cluster.Kill(far);
        cluster.Restart(far);
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.Equal(3, cluster["source"].Membership!.Members.Count);
        cluster.Heal();
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        Assert.Equal(4, cluster["near"].Membership!.Members.Count);
        Assert.NotEqual(former, far.Membership!.Self);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_destination_that_leaves_while_a_node_is_away_takes_nobody_with_it(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Serving(world, out _, new SimClusterSettings { ResolvesSplits = true });
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        cluster.Kill(cluster["fetch-0"], silently: true);
        // Nobody can see it off as long as the dead node has not been given up, and it does not wait for that.
        cluster["destination"].Membership!.Leave();
        world.RunFor(TimeSpan.FromSeconds(1));
        cluster.Kill(cluster["destination"]);
        Assert.True(world.RunUntil(() => cluster["source-1"].Membership!.Members.Count == 3, Long));
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        Assert.All(["source-0", "source-1", "fetch-1"], name => Assert.False(cluster[name].Membership!.IsOver));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_guest_arrives_through_fetchers(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Serving(world, out var vm);
        var report = Migrate(world, vm);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(4096UL, report.PagesPresent);
        Assert.True(cluster["fetch-0"].Host.BytesSent > 100_000 && cluster["fetch-1"].Host.BytesSent > 100_000);
        Assert.True(cluster["source-0"].Host.BytesSent > 100_000);
        // The replicas of the bitmap hear of every page, by broadcast or by asking.
        Assert.True(world.RunUntil(() => Missing(cluster["source-0"]) == 0 && Missing(cluster["fetch-1"]) == 0, Long));
    }

    [Theory]
    [InlineData(1, "fetch-0", false)]
    [InlineData(2, "fetch-1", true)]
    [InlineData(3, "source-0", false)]
    [InlineData(4, "source-1", true)]
    public void A_guest_arrives_though_a_node_dies_and_comes_back(ulong seed, string node, bool silently)
    {
        using var world = new SimWorld(seed);
        var cluster = Serving(world, out var vm);
        Start(world, vm);
        world.RunFor(TimeSpan.FromMilliseconds(2));
        Assert.Null(vm.Report);
        cluster.Kill(cluster[node], silently);
        world.RunFor(TimeSpan.FromSeconds(3));
        cluster.Restart(cluster[node]);
        Assert.True(world.RunUntil(() => vm.Report is not null && cluster.HasConverged(), Long));
        Assert.True(vm.Report!.IsVerified, vm.Report.Reason);
    }

    [Theory]
    [InlineData(5)]
    public void A_guest_waits_for_a_network_that_is_cut_and_goes_on_when_it_is_mended(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Serving(world, out var vm);
        Start(world, vm);
        world.RunFor(TimeSpan.FromMilliseconds(2));
        cluster.Isolate(cluster["destination"]);
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.Null(vm.Report);
        cluster.Heal();
        Assert.True(world.RunUntil(() => vm.Report is not null && cluster.HasConverged(), Long));
        Assert.True(vm.Report!.IsVerified, vm.Report.Reason);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_guest_arrives_over_a_network_that_loses_and_breaks(ulong seed)
    {
        using var world = new SimWorld(seed);
        var network = new SimNetworkSettings { Loss = 0.02, Break = 0.002, Latency = SimLatency.LongTailed(100_000), BitsPerSecond = 1_000_000_000 };
        var cluster = Serving(world, out var vm, new SimClusterSettings { Network = network });
        cluster["fetch-0"].Host.Slowdown = 20;
        var report = Migrate(world, vm);
        Assert.True(report.IsVerified, report.Reason);
        Assert.Equal(4096UL, report.PagesPresent);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_fetcher_hedges_between_its_own_sources_where_one_is_slow(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Serving(world, out var vm, sourceOneSlow: SimLatency.LongTailed(5_000_000));
        var report = Migrate(world, vm);
        Assert.True(report.IsVerified, report.Reason);
        var hedged = cluster["fetch-0"].Relay!.Hedged + cluster["fetch-1"].Relay!.Hedged;
        Assert.InRange(hedged, 1, (report.Fetches.DemandPages + report.Fetches.BackgroundPages + report.Fetches.Hedged) / 10);
    }

    [Fact]
    public void One_seed_replays_a_whole_cluster() => Assert.Equal(Scenarios.Run("cluster", 5), Scenarios.Run("cluster", 5));

    private static ulong? Missing(SimNode node) => node.Replicas.Held.Count == 0 ? null : node.Replicas.Held[0].Replica.Missing;

    private static SimCluster Members(SimWorld world, int count, SimClusterSettings? settings = null)
    {
        var cluster = new SimCluster(world, settings);
        for (var i = 0; i < count; i++) cluster.AddMember($"node-{i}");
        return cluster;
    }

    private static SimCluster Serving(SimWorld world, out SimVm vm, SimClusterSettings? settings = null, SimLatency? sourceOneSlow = null)
    {
        var cluster = new SimCluster(world, settings);
        var image = new TagImage(4096, world.Seed, zeroShare: 0.2);
        for (var i = 0; i < 2; i++) cluster.AddSource($"source-{i}", image, new SimServerSettings { Latency = (i == 1 ? sourceOneSlow : null) ?? SimLatency.Uniform(5_000, 30_000) });
        for (var i = 0; i < 2; i++) cluster.AddFetcher($"fetch-{i}");
        cluster.AddDestination("destination", new SimVmSettings
        {
            Image = image,
            Migration = new MigrationSettings { Mode = FaultMode.Userfault, ProgressNs = 0, SampleNs = 0 },
            Workload = new PatternWorkload(new PatternSettings(PatternKind.Random, 8, image.Pages)
            {
                AccessesPerVcpu = 400,
                Overlapping = true,
                InstructionsPerSecond = 1_000_000_000,
                Seed = world.Seed,
            }),
        }, out vm);
        return cluster;
    }

    private static void Start(SimWorld world, SimVm vm)
    {
        world.RunFor(TimeSpan.FromSeconds(10));
        vm.Start();
    }

    private static MigrationReport Migrate(SimWorld world, SimVm vm)
    {
        Start(world, vm);
        return vm.RunToReport(Long) ?? throw new InvalidOperationException($"no report at {world.NowNs} ns: {string.Join("; ", world.Log)}");
    }
}
