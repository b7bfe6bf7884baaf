using Akka.Actor;
using Userfault.Paging;

namespace Userfault.Nodes.Tests;

/// <summary>What a node says of itself reaches the others, and is forgotten with it.</summary>
public sealed class NodeActorTests : IDisposable
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(100);

    private readonly TestNode _here = new(NodeRoles.Destination);
    private readonly TestNode _there = new(NodeRoles.Source);

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
        Node(_here).Tell(new NodeProtocol.Listen(listener.Ref));
        Node(_there, new NodeReport([offer], PagesSent: 5));
        _here.Membership.Join([]);
        _there.Membership.Join([_here.Address]);

        var changed = listener.Until<NodeProtocol.NodesChanged>(c => c.Nodes.Any(n => n.Report is { Offers.Count: 1 }));

        var source = Assert.Single(changed.Nodes, n => n.Address.Equals(_there.Address));
        Assert.Equal([NodeRoles.Source], source.Roles);
        Assert.Equal(offer, Assert.Single(source.Report!.Offers));
        Assert.Equal(5, source.Report.PagesSent);

        _there.Membership.Leave();
        listener.Until<NodeProtocol.NodesChanged>(c => !c.Nodes.Any(n => n.Address.Equals(_there.Address)));
    }

    [Fact]
    public async Task The_last_view_of_a_membership_that_is_over_is_that_before_its_end()
    {
        using var elsewhere = ActorSystem.Create("elsewhere");
        var listener = new Probe(elsewhere);
        Node(_here).Tell(new NodeProtocol.Listen(listener.Ref));
        _here.Membership.Join([]);
        _there.Membership.Join([_here.Address]);
        // Nothing was passed on before this node was a member itself.
        Assert.Contains(listener.Next<NodeProtocol.NodesChanged>().Nodes, n => n.Address.Equals(_here.Address));
        listener.Until<NodeProtocol.NodesChanged>(c => c.Nodes.Count == 2);

        _here.Membership.Down(_here.Address);
        await _here.System.WhenTerminated.WaitAsync(TimeSpan.FromSeconds(60));
        while (!listener.IsEmpty) Assert.Equal(2, listener.Next<NodeProtocol.NodesChanged>().Nodes.Count);
    }

    [Fact]
    public async Task A_cluster_that_was_lost_is_found_again_by_asking_its_nodes()
    {
        Node(_here);
        var node = Node(_there);
        // Each its own cluster. The source remembers the destination, which it was in one cluster with.
        _here.Membership.Join([]);
        _there.Membership.Join([]);
        var known = new Acquaintances([]);
        known.Update(_there.Address, [NodeAt(_there.Address), NodeAt(_here.Address)]);
        var found = new TaskCompletionSource<Address>(TaskCreationOptions.RunContinuationsAsynchronously);
        var reunion = _there.System.ActorOf(
            ReunionActor.Props(_there.Membership, known, Often, at => found.TrySetResult(at)));

        node.Tell(new NodeProtocol.Listen(reunion));

        Assert.Equal(_here.Address, await found.Task.WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(_here.Address, known.Seeds[0]);

        static ClusterNode NodeAt(Address address) => new(address, [NodeRoles.Source], MemberState.Up, true, null);
    }

    private static IActorRef Node(TestNode node, NodeReport? report = null) =>
        node.System.ActorOf(
            NodeActor.Props(node.Membership, () => report ?? NodeReport.Nothing, Often), NodeActor.Name);
}
