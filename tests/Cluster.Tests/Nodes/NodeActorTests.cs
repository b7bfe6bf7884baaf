using Akka.Actor;
using Userfault.Actors;
using Userfault.Paging;

namespace Userfault.Cluster.Tests.Nodes;

/// <summary>What a node says of itself reaches the others, and is forgotten with it.</summary>
public sealed class NodeActorTests : IDisposable
{
    private const string Config = """
        akka.actor.serializers.userfault = "Userfault.Actors.NodeMessageSerializer, Userfault.Actors"
        akka.actor.serialization-bindings { "Userfault.Actors.INodeMessage, Userfault.Actors" = userfault }
        """;

    private readonly Node _here = new(Config + "\nakka.cluster.roles = [destination]");
    private readonly Node _there = new(Config + "\nakka.cluster.roles = [source]");

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Fact]
    public void A_report_reaches_the_others_and_is_forgotten_when_its_node_has_left()
    {
        var offer = new SourceListing(new ImageIdentity(new byte[32]), 16, "", 7, "image");
        var listener = new Probe(_here.System);
        var here = _here.System.ActorOf(NodeActor.Props(() => NodeReport.Nothing, TimeSpan.FromMilliseconds(100)), NodeActor.Name);
        _there.System.ActorOf(NodeActor.Props(() => new NodeReport([offer], PagesSent: 5), TimeSpan.FromMilliseconds(100)), NodeActor.Name);
        here.Tell(new NodeProtocol.Listen(listener.Ref));
        Akka.Cluster.Cluster.Get(_here.System).Join(_here.Address);
        Akka.Cluster.Cluster.Get(_there.System).Join(_here.Address);

        var changed = listener.Until<NodeProtocol.NodesChanged>(c => c.Nodes.Any(n => n.Report is { Offers.Count: 1 }));

        var source = Assert.Single(changed.Nodes, n => n.Address.Equals(_there.Address));
        Assert.Equal([NodeRoles.Source], source.Roles);
        Assert.Equal(offer, Assert.Single(source.Report!.Offers));
        Assert.Equal(5, source.Report.PagesSent);

        Akka.Cluster.Cluster.Get(_there.System).Leave(_there.Address);
        listener.Until<NodeProtocol.NodesChanged>(c => !c.Nodes.Any(n => n.Address.Equals(_there.Address)));
    }

    [Fact]
    public async Task The_last_view_of_a_membership_that_is_over_is_that_before_its_end()
    {
        using var elsewhere = ActorSystem.Create("elsewhere");
        var listener = new Probe(elsewhere);
        var here = _here.System.ActorOf(NodeActor.Props(() => NodeReport.Nothing, TimeSpan.FromMilliseconds(100)), NodeActor.Name);
        here.Tell(new NodeProtocol.Listen(_here.System.ActorOf(MembershipViewActor.Props(listener.Ref))));
        Akka.Cluster.Cluster.Get(_here.System).Join(_here.Address);
        Akka.Cluster.Cluster.Get(_there.System).Join(_here.Address);
        // Nothing was passed on before this node was a member itself.
        Assert.Contains(listener.Next<NodeProtocol.NodesChanged>().Nodes, n => n.Address.Equals(_here.Address));
        listener.Until<NodeProtocol.NodesChanged>(c => c.Nodes.Count == 2);

        Akka.Cluster.Cluster.Get(_here.System).Down(_here.Address);
        await _here.System.WhenTerminated.WaitAsync(TimeSpan.FromSeconds(60));
        while (!listener.IsEmpty) Assert.Equal(2, listener.Next<NodeProtocol.NodesChanged>().Nodes.Count);
    }

    [Fact]
    public async Task A_cluster_that_was_lost_is_found_again_by_asking_its_nodes()
    {
        _here.System.ActorOf(NodeActor.Props(() => NodeReport.Nothing, TimeSpan.FromMilliseconds(100)), NodeActor.Name);
        _there.System.ActorOf(NodeActor.Props(() => NodeReport.Nothing, TimeSpan.FromMilliseconds(100)), NodeActor.Name);
        // Each its own cluster. The source remembers the destination, which it was in one cluster with.
        Akka.Cluster.Cluster.Get(_here.System).Join(_here.Address);
        Akka.Cluster.Cluster.Get(_there.System).Join(_there.Address);
        var known = new Acquaintances([]);
        known.Update(_there.Address, [NodeAt(_there.Address), NodeAt(_here.Address)]);
        var found = new TaskCompletionSource<Address>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reunion = _there.System.ActorOf(ReunionActor.Props(known, TimeSpan.FromMilliseconds(50), at => found.TrySetResult(at)));

        _there.System.ActorSelection("/user/" + NodeActor.Name).Tell(new NodeProtocol.Listen(reunion));

        Assert.Equal(_here.Address, await found.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(_here.Address, known.Seeds[0]);

        static ClusterNode NodeAt(Address address) => new(address, [NodeRoles.Source], Akka.Cluster.MemberStatus.Up, true, null);
    }
}
