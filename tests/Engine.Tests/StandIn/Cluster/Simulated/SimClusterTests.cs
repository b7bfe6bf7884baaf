using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;

namespace Userfault.Engine.Tests.StandIn.Cluster.Simulated;

/// <summary>The provider, remoting, the cluster's actors and the mediator on a simulated transport, for a few seeds.</summary>
public sealed class SimClusterTests
{
    private static readonly string Seeded = "akka.cluster.seed-nodes = [\"akka.tcp://sim@sim:1\", \"akka.tcp://sim@sim:2\"]";

    public static TheoryData<int> Seeds => [1, 2, 3];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Nodes_that_start_at_once_or_the_last_seed_first_form_one_cluster(int seed)
    {
        using var cluster = new SimCluster(seed);
        foreach (var port in seed % 2 == 0 ? new[] { 1, 2, 3, 4, 5 } : [5, 4, 3, 2, 1])
        {
            cluster.Start(port, Seeded);
            cluster.World.RunFor(TimeSpan.FromMilliseconds(seed > 2 ? 700 : 1));
        }

        cluster.RunUntil(() => cluster.Agree(1, 2, 3, 4, 5), "agreement");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_leaders_death_is_noticed_and_another_leads(int seed)
    {
        using var cluster = Formed(seed);

        cluster.Kill(1);

        cluster.RunUntil(() => cluster.Agree(2, 3, 4, 5), "agreement of the survivors");
        Assert.All(cluster.Nodes, port => Assert.Equal(2, cluster[port].State.Leader!.Port));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Of_a_partition_only_the_majority_stays_and_the_minority_knows_it(int seed)
    {
        using var cluster = Formed(seed);

        cluster.Network.Cut([1, 2], [3, 4, 5]);

        cluster.RunUntil(() => cluster.Agree(3, 4, 5) && cluster[1].IsTerminated && cluster[2].IsTerminated, "the majority alone");
        cluster.Network.Heal();
        cluster.World.RunFor(TimeSpan.FromSeconds(30));
        Assert.True(cluster.Agree(3, 4, 5));
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_flapping_link_costs_nobody(int seed)
    {
        using var cluster = Formed(seed);

        for (var i = 0; i < 6; i++)
        {
            cluster.Network.Cut([1 + (i % 5)], [.. Enumerable.Range(1, 5).Where(port => port != 1 + (i % 5))]);
            cluster.World.RunFor(TimeSpan.FromSeconds(7));
            cluster.Network.Heal();
            cluster.World.RunFor(TimeSpan.FromSeconds(3));
        }

        cluster.RunUntil(() => cluster.Agree(1, 2, 3, 4, 5), "agreement after the flapping");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void A_restarted_node_is_let_in_as_another_incarnation(int seed)
    {
        using var cluster = Formed(seed);
        var former = cluster[4].SelfUniqueAddress;

        cluster.Kill(4);
        cluster.Start(4, Seeded);

        cluster.RunUntil(() => cluster.Agree(1, 2, 3, 4, 5), "agreement with the new incarnation");
        Assert.NotEqual(former, cluster[4].SelfUniqueAddress);
        Assert.Contains(cluster[1].State.Members, member => member.UniqueAddress == cluster[4].SelfUniqueAddress);
    }

    [Fact]
    public void Publications_reach_the_takers_and_a_watcher_hears_of_a_node_that_was_killed()
    {
        using var cluster = Formed(11);
        var heard = new List<object>();
        var taker = cluster[3].System.ActorOf(Props.Create(() => new Ear(heard)), "ear");
        DistributedPubSub.Get(cluster[3].System).Mediator.Tell(new Subscribe("topic", taker), ActorRefs.NoSender);
        var mediator = DistributedPubSub.Get(cluster[5].System).Mediator;
        cluster.World.RunFor(TimeSpan.FromSeconds(5));

        for (var i = 0; i < 100; i++)
            mediator.Tell(new Publish("topic", i), ActorRefs.NoSender);
        cluster.RunUntil(() => heard.Count == 100, "all publications");
        Assert.Equal(Enumerable.Range(0, 100), heard.Cast<int>());

        var ended = new List<object>();
        var remote = ((ExtendedActorSystem)cluster[5].System).Provider.ResolveActorRef($"akka.tcp://sim@sim:3/user/ear#{taker.Path.Uid}");
        cluster[5].System.ActorOf(Props.Create(() => new Mourner(ended, remote)));
        cluster.World.RunFor(TimeSpan.FromSeconds(1));
        cluster.Kill(3);
        cluster.RunUntil(() => ended.Count == 1, "the word of its end");
        Assert.True(Assert.IsType<Terminated>(ended[0]).AddressTerminated);
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void The_word_of_a_death_is_not_lost_with_a_connection(int seed)
    {
        using var cluster = Formed(seed);
        var deaf = Enumerable.Range(0, 20).Select(i => cluster[2].System.ActorOf(Props.Create(() => new Ear(new List<object>())), $"deaf-{i}")).ToList();
        var ended = new List<object>();
        foreach (var actor in deaf)
        {
            var remote = ((ExtendedActorSystem)cluster[4].System).Provider.ResolveActorRef($"akka.tcp://sim@sim:2{actor.Path.ToStringWithoutAddress()}#{actor.Path.Uid}");
            cluster[4].System.ActorOf(Props.Create(() => new Mourner(ended, remote)));
        }
        cluster.Network.Break();
        cluster.World.RunFor(TimeSpan.FromMilliseconds(3));
        cluster.Network.Break();
        cluster.World.RunFor(TimeSpan.FromSeconds(2));

        foreach (var actor in deaf)
        {
            actor.Tell(PoisonPill.Instance, ActorRefs.NoSender);
            cluster.World.RunFor(TimeSpan.FromMilliseconds(2));
            cluster.Network.Break();
        }

        cluster.RunUntil(() => ended.Count >= 20, "the word of all ends");
        cluster.World.RunFor(TimeSpan.FromSeconds(5));
        Assert.Equal(20, ended.Count);
        Assert.All(ended, word => Assert.False(Assert.IsType<Terminated>(word).AddressTerminated));
    }

    [Fact]
    public void One_seed_replays_whole_systems()
    {
        var traces = Enumerable.Range(0, 2).Select(_ =>
        {
            using var cluster = Formed(5);
            cluster.Kill(2);
            cluster.World.RunFor(TimeSpan.FromSeconds(40));
            return cluster.World.Trace;
        }).ToList();

        Assert.Equal(traces[0], traces[1]);
    }

    private static SimCluster Formed(int seed)
    {
        var cluster = new SimCluster(seed);
        for (var port = 1; port <= 5; port++)
            cluster.Start(port, Seeded);
        cluster.RunUntil(() => cluster.Agree(1, 2, 3, 4, 5), "a cluster");
        return cluster;
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
