using Akka.Actor;
using Akka.Cluster;
using Akka.Cluster.Tools.PublishSubscribe;
using Userfault.Simulation.Cluster;

namespace Userfault.Simulation.Tests.Cluster;

/// <summary>What the cluster's stand-in owes to everybody: provider, remoting, membership and mediator over a simulated network.</summary>
public sealed class StandInTests
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(2);

    public static TheoryData<ulong> Seeds => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nodes_that_start_at_once_or_the_last_seed_first_form_one_cluster(ulong seed)
    {
        using var world = new SimWorld(seed);
        const string address = "akka.tcp://userfault@node-";
        var cluster = new SimCluster(world, Settings with { Config = $"akka.cluster.seed-nodes = [\"{address}1:4053\", \"{address}2:4053\"]" });
        foreach (var number in seed % 2 == 0 ? new[] { 1, 2, 3, 4, 5 } : [5, 4, 3, 2, 1])
        {
            cluster.AddMember($"node-{number}");
            world.RunFor(TimeSpan.FromMilliseconds(seed > 2 ? 700 : 1));
        }

        Assert.True(world.RunUntil(cluster.HasConverged, Long));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_leaders_death_is_noticed_and_another_leads(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Formed(world);

        cluster.Kill(cluster["node-1"]);

        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        Assert.All(cluster.Nodes.Where(n => n.IsUp), node => Assert.Equal("node-2", node.Membership!.State.Leader!.Host));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_a_partition_only_the_majority_stays_and_the_minority_knows_it(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Formed(world);
        var (minority, majority) = (cluster.Nodes.Take(2).ToArray(), cluster.Nodes.Skip(2).ToArray());

        cluster.Isolate(minority);

        Assert.True(world.RunUntil(() => Agree(majority) && minority.All(n => n.Membership!.IsTerminated), Long));
        cluster.Heal();
        world.RunFor(TimeSpan.FromSeconds(30));
        Assert.True(Agree(majority));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_flapping_link_costs_nobody(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Formed(world);

        for (var i = 0; i < 6; i++)
        {
            cluster.Isolate(cluster.Nodes[i % 5]);
            world.RunFor(TimeSpan.FromSeconds(7));
            cluster.Heal();
            world.RunFor(TimeSpan.FromSeconds(3));
        }

        Assert.True(world.RunUntil(cluster.HasConverged, Long));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_node_that_is_started_again_at_once_is_let_in_as_another_incarnation(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Formed(world);
        var node = cluster["node-4"];
        var former = node.Membership!.SelfUniqueAddress;

        cluster.Kill(node);
        cluster.Restart(node);

        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        Assert.NotEqual(former, node.Membership!.SelfUniqueAddress);
        Assert.Contains(cluster["node-1"].Membership!.State.Members, m => m.UniqueAddress.Equals(node.Membership.SelfUniqueAddress));
    }

    [Fact]
    public void Publications_reach_the_takers_and_a_watcher_hears_of_a_node_that_was_killed()
    {
        using var world = new SimWorld(11);
        var cluster = Formed(world);
        var heard = new List<object>();
        var taker = cluster["node-3"].System!.ActorOf(Props.Create(() => new Ear(heard)), "ear");
        DistributedPubSub.Get(cluster["node-3"].System!).Mediator.Tell(new Subscribe("topic", taker), ActorRefs.NoSender);
        var mediator = DistributedPubSub.Get(cluster["node-5"].System!).Mediator;
        world.RunFor(TimeSpan.FromSeconds(5));

        for (var i = 0; i < 100; i++) mediator.Tell(new Publish("topic", i), ActorRefs.NoSender);
        Assert.True(world.RunUntil(() => heard.Count == 100, Long));
        Assert.Equal(Enumerable.Range(0, 100), heard.Cast<int>());

        var ended = new List<object>();
        Watch(cluster["node-5"], cluster["node-3"], taker, ended);
        world.RunFor(TimeSpan.FromSeconds(1));
        cluster.Kill(cluster["node-3"]);
        Assert.True(world.RunUntil(() => ended.Count == 1, Long));
        Assert.True(Assert.IsType<Terminated>(ended[0]).AddressTerminated);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_word_of_a_death_is_not_lost_with_a_connection(ulong seed)
    {
        using var world = new SimWorld(seed);
        var cluster = Formed(world);
        var deaf = Enumerable.Range(0, 20).Select(i => cluster["node-2"].System!.ActorOf(Props.Create(() => new Ear(new List<object>())), $"deaf-{i}")).ToList();
        var ended = new List<object>();
        foreach (var actor in deaf) Watch(cluster["node-4"], cluster["node-2"], actor, ended);
        cluster.Network.BreakConnections();
        world.RunFor(TimeSpan.FromMilliseconds(3));
        cluster.Network.BreakConnections();
        world.RunFor(TimeSpan.FromSeconds(2));

        foreach (var actor in deaf)
        {
            actor.Tell(PoisonPill.Instance, ActorRefs.NoSender);
            world.RunFor(TimeSpan.FromMilliseconds(2));
            cluster.Network.BreakConnections();
        }

        Assert.True(world.RunUntil(() => ended.Count >= 20, Long));
        world.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(20, ended.Count);
        Assert.All(ended, word => Assert.False(Assert.IsType<Terminated>(word).AddressTerminated));
    }

    private static SimClusterSettings Settings { get; } = new()
    {
        Network = new SimNetworkSettings { Latency = SimLatency.Uniform(1_000_000, 6_000_000) },
        ResolvesSplits = true,
    };

    private static SimCluster Formed(SimWorld world)
    {
        var cluster = new SimCluster(world, Settings);
        for (var i = 1; i <= 5; i++) cluster.AddMember($"node-{i}");
        Assert.True(world.RunUntil(cluster.HasConverged, Long));
        return cluster;
    }

    private static bool Agree(IReadOnlyList<SimNode> nodes) => nodes.All(node => node.Membership is { IsTerminated: false } seen
        && seen.State.Unreachable.Count == 0
        && seen.State.Members.All(static m => m.Status == MemberStatus.Up)
        && seen.State.Members.Select(static m => m.Address.Host).Order(StringComparer.Ordinal).SequenceEqual(nodes.Select(static n => n.Name)));

    private static void Watch(SimNode watcher, SimNode of, IActorRef watched, List<object> ended)
    {
        var remote = ((ExtendedActorSystem)watcher.System!).Provider.ResolveActorRef(
            $"{of.Membership!.SelfAddress}{watched.Path.ToStringWithoutAddress()}#{watched.Path.Uid}");
        watcher.System!.ActorOf(Props.Create(() => new Mourner(ended, remote)));
    }

    private sealed class Ear(List<object> heard) : UntypedActor
    {
        protected override void OnReceive(object message) => heard.Add(message);
    }

    private sealed class Mourner(List<object> ended, IActorRef watched) : UntypedActor
    {
        protected override void PreStart() => Context.Watch(watched);

        protected override void OnReceive(object message) => ended.Add(message);
    }
}
