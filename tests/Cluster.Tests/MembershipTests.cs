using Akka.Actor;
using Akka.Cluster;
using static Akka.Cluster.ClusterEvent;

namespace Userfault.Cluster.Tests;

/// <summary>Nodes become members, leave and are missed, and everybody comes to the same view.</summary>
public sealed class MembershipTests : IDisposable
{
    private const string Crashes = "akka.coordinated-shutdown.run-by-actor-system-terminate = off";

    private const string Resolver = """
        akka.cluster.downing-provider-class = "Akka.Cluster.SBR.SplitBrainResolverProvider, Akka.Cluster"
        akka.cluster.split-brain-resolver { active-strategy = keep-majority, stable-after = 1s }
        """;

    private readonly List<Node> _nodes = [];

    public void Dispose()
    {
        foreach (var node in Enumerable.Reverse(_nodes))
            node.Dispose();
    }

    [Fact]
    public void A_node_that_joins_itself_becomes_its_own_leader()
    {
        var node = Start("akka.cluster.roles = [source, fetcher]");
        var cluster = Akka.Cluster.Cluster.Get(node.System);
        var probe = Subscribe(node, typeof(IMemberEvent), typeof(LeaderChanged));

        cluster.Join(node.Address);

        var up = probe.Until<MemberUp>();
        Assert.Equal(node.Address, up.Member.Address);
        Assert.Equal(["fetcher", "source"], up.Member.Roles.Order());
        Assert.True(up.Member.HasRole("source"));
        Assert.Equal(MemberStatus.Up, cluster.SelfMember.Status);
        Assert.Equal(node.Address, cluster.State.Leader);
        Assert.Equal(node.Address, cluster.State.RoleLeader("fetcher"));
        Assert.Null(cluster.State.RoleLeader("destination"));
        Assert.Equal(cluster.SelfUniqueAddress, cluster.SelfMember.UniqueAddress);
    }

    [Fact]
    public void Three_nodes_form_one_cluster_and_agree_on_its_leader()
    {
        var nodes = StartCluster(3);

        foreach (var node in nodes)
        {
            var state = Akka.Cluster.Cluster.Get(node.System).State;
            Assert.Equal(nodes.Select(n => n.Address).ToHashSet(), state.Members.Select(member => member.Address).ToHashSet());
            Assert.Equal(nodes.Select(n => n.Address).Order(Member.AddressOrdering).First(), state.Leader);
            Assert.Empty(state.Unreachable);
        }
    }

    [Fact]
    public void Events_tell_how_a_member_comes_and_goes_in_order()
    {
        var nodes = StartCluster(2);
        var probe = Subscribe(nodes[0], typeof(IMemberEvent));
        var third = Start();

        Akka.Cluster.Cluster.Get(third.System).Join(nodes[0].Address);
        var joined = probe.Until<MemberJoined>();
        Assert.Equal(third.Address, joined.Member.Address);
        Assert.Equal(third.Address, probe.Next<MemberUp>().Member.Address);

        Akka.Cluster.Cluster.Get(third.System).Leave(third.Address);
        Assert.Equal(third.Address, probe.Next<MemberLeft>().Member.Address);
        Assert.Equal(third.Address, probe.Next<MemberExited>().Member.Address);
        var removed = probe.Next<MemberRemoved>();
        Assert.Equal(third.Address, removed.Member.Address);
        Assert.Equal(MemberStatus.Exiting, removed.PreviousStatus);
    }

    [Fact]
    public void A_node_that_left_knows_it()
    {
        var nodes = StartCluster(2);
        var cluster = Akka.Cluster.Cluster.Get(nodes[1].System);
        using var removed = new ManualResetEventSlim();
        cluster.RegisterOnMemberRemoved(removed.Set);

        cluster.Leave(cluster.SelfAddress);

        Assert.True(removed.Wait(TimeSpan.FromSeconds(20)));
        Assert.True(cluster.IsTerminated);
    }

    [Fact]
    public void A_callback_on_being_up_runs_then_and_also_later()
    {
        var node = Start();
        var cluster = Akka.Cluster.Cluster.Get(node.System);
        using var before = new ManualResetEventSlim();
        using var after = new ManualResetEventSlim();
        cluster.RegisterOnMemberUp(before.Set);

        cluster.Join(node.Address);
        Assert.True(before.Wait(TimeSpan.FromSeconds(20)));
        cluster.RegisterOnMemberUp(after.Set);

        Assert.True(after.Wait(TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public void Nobody_is_up_before_there_are_enough()
    {
        const string Three = "akka.cluster.min-nr-of-members = 3";
        var nodes = StartCluster(2, Three, wait: false);
        var probe = Subscribe(nodes[0], typeof(IMemberEvent));
        Await(nodes, state => state.Members.Count == 2);
        Assert.All(nodes, node => Assert.All(State(node).Members, member => Assert.Equal(MemberStatus.Joining, member.Status)));

        var third = Start(Three);
        Akka.Cluster.Cluster.Get(third.System).Join(nodes[0].Address);

        for (var i = 0; i < 3; i++)
            probe.Until<MemberUp>();
    }

    [Fact]
    public void A_killed_node_is_missed_and_then_downed_by_the_majority()
    {
        var nodes = StartCluster(3, Resolver + "\n" + Crashes);
        var probe = Subscribe(nodes[0], typeof(IMemberEvent), typeof(IReachabilityEvent));
        var victim = nodes[2];

        victim.Dispose();

        Assert.Equal(victim.Address, probe.Until<UnreachableMember>().Member.Address);
        Assert.Equal(victim.Address, probe.Until<MemberDowned>().Member.Address);
        var removed = probe.Until<MemberRemoved>();
        Assert.Equal(victim.Address, removed.Member.Address);
        Assert.Equal(MemberStatus.Down, removed.PreviousStatus);
        Await(nodes.Take(2), state => state.Members.Count == 2 && state.Unreachable.IsEmpty);
    }

    [Fact]
    public async Task Whoever_watches_an_actor_of_a_killed_member_hears_that_it_terminated()
    {
        var nodes = StartCluster(3, Resolver + "\n" + Crashes);
        nodes[2].System.ActorOf(Props.Create(() => new Deaf()), "deaf");
        var remote = await nodes[0].System.ActorSelection(nodes[2].Address + "/user/deaf").ResolveOne(TimeSpan.FromSeconds(20));
        var probe = new Probe(nodes[0].System);
        probe.Watch(remote);
        probe.Ref.Tell("in", ActorRefs.NoSender);
        probe.Next();

        Akka.Cluster.Cluster.Get(nodes[0].System).Down(nodes[2].Address);

        Assert.Equal(remote, probe.Next<Terminated>().ActorRef);
    }

    [Fact]
    public async Task A_downed_node_ends_its_system()
    {
        var nodes = StartCluster(2);

        Akka.Cluster.Cluster.Get(nodes[0].System).Down(nodes[1].Address);

        await nodes[1].System.WhenTerminated.WaitAsync(TimeSpan.FromSeconds(20));
        Await(nodes.Take(1), state => state.Members.Count == 1);
    }

    [Fact]
    public void A_restarted_node_is_a_new_incarnation()
    {
        var nodes = StartCluster(2, Resolver + "\n" + Crashes);
        var probe = Subscribe(nodes[0], typeof(IMemberEvent));
        var former = Akka.Cluster.Cluster.Get(nodes[1].System).SelfUniqueAddress;

        nodes[1].Dispose();
        var again = Start($"{Resolver}\nakka.remote.dot-netty.tcp.port = {former.Address.Port}");
        var cluster = Akka.Cluster.Cluster.Get(again.System);
        cluster.Join(nodes[0].Address);

        Assert.Equal(former, probe.Until<MemberRemoved>().Member.UniqueAddress);
        var up = probe.Until<MemberUp>();
        Assert.Equal(former.Address, up.Member.Address);
        Assert.NotEqual(former.Uid, up.Member.UniqueAddress.Uid);
        Assert.Equal(cluster.SelfUniqueAddress, up.Member.UniqueAddress);
    }

    [Fact]
    public void Seed_nodes_may_start_in_any_order()
    {
        var ports = FreePorts(3);
        var seeds = string.Join(", ", ports.Select(port => $"\"akka.tcp://test@127.0.0.1:{port}\""));
        foreach (var port in Enumerable.Reverse(ports))
            Start($"akka.remote.dot-netty.tcp.port = {port}\nakka.cluster.seed-nodes = [{seeds}]");

        AwaitUp(_nodes);
    }

    [Fact]
    public void A_subscriber_gets_the_state_first_as_a_snapshot_or_as_events()
    {
        var nodes = StartCluster(2);
        var cluster = Akka.Cluster.Cluster.Get(nodes[0].System);
        var snapshot = new Probe(nodes[0].System);
        var events = new Probe(nodes[0].System);

        cluster.Subscribe(snapshot.Ref, InitialStateAsSnapshot, typeof(MemberUp));
        cluster.Subscribe(events.Ref, InitialStateAsEvents, typeof(MemberUp));

        Assert.Equal(2, snapshot.Next<CurrentClusterState>().Members.Count);
        var up = new[] { events.Next<MemberUp>().Member.Address, events.Next<MemberUp>().Member.Address };
        Assert.Equal(nodes.Select(node => node.Address).ToHashSet(), up.ToHashSet());
    }

    [Fact]
    public void Who_has_unsubscribed_hears_nothing_more()
    {
        var nodes = StartCluster(2);
        var cluster = Akka.Cluster.Cluster.Get(nodes[0].System);
        var former = Subscribe(nodes[0], typeof(IMemberEvent));
        var current = Subscribe(nodes[0], typeof(IMemberEvent));
        cluster.Unsubscribe(former.Ref);

        Akka.Cluster.Cluster.Get(nodes[1].System).Leave(nodes[1].Address);

        current.Until<MemberRemoved>();
        Assert.True(former.IsEmpty);
    }

    [Fact]
    public void A_subscription_needs_events_of_the_cluster()
    {
        var cluster = Akka.Cluster.Cluster.Get(Start().System);

        Assert.Throws<ArgumentException>(() => cluster.Subscribe(ActorRefs.Nobody));
        Assert.Throws<ArgumentException>(() => cluster.Subscribe(ActorRefs.Nobody, typeof(string)));
    }

    private sealed class Deaf : UntypedActor
    {
        protected override void OnReceive(object message)
        {
        }
    }

    private static CurrentClusterState State(Node node) => Akka.Cluster.Cluster.Get(node.System).State;

    private Node Start(string config = "")
    {
        var node = new Node(config);
        _nodes.Add(node);
        return node;
    }

    private List<Node> StartCluster(int count, string config = "", bool wait = true)
    {
        var nodes = Enumerable.Range(0, count).Select(_ => Start(config)).ToList();
        foreach (var node in nodes)
            Akka.Cluster.Cluster.Get(node.System).Join(nodes[0].Address);
        if (wait)
            AwaitUp(nodes);
        return nodes;
    }

    private static Probe Subscribe(Node node, params Type[] events)
    {
        var probe = new Probe(node.System);
        Akka.Cluster.Cluster.Get(node.System).Subscribe(probe.Ref, InitialStateAsSnapshot, events);
        probe.Next<CurrentClusterState>();
        return probe;
    }

    private static void AwaitUp(List<Node> nodes)
        => Await(nodes, state => state.Members.Count(member => member.Status == MemberStatus.Up) == nodes.Count && state.Leader is not null);

    private static void Await(IEnumerable<Node> nodes, Func<CurrentClusterState, bool> holds)
        => Assert.All(nodes, node => Assert.True(SpinWait.SpinUntil(() => holds(State(node)), TimeSpan.FromSeconds(20)), $"{node.Address} does not see it"));

    private static List<int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(listener => listener.Start());
        var ports = listeners.Select(listener => ((System.Net.IPEndPoint)listener.LocalEndpoint).Port).ToList();
        listeners.ForEach(listener => listener.Stop());
        return ports;
    }
}
