using Akka.Actor;
using Userfault.Nodes;

namespace Userfault.Hostile.Tests;

/// <summary>
/// A cluster does everything that it should with the closed set of serializers and paths, and nothing is refused or
/// dropped.
/// </summary>
public sealed class ClosedClusterTests : IAsyncDisposable
{
    private static readonly string[] Refusals =
        ["dropping", "Dropping", "UntrustedMode", "untrusted", "erialization failed", "does not cross"];

    private readonly List<Victim> _nodes = [.. Enumerable.Range(0, 4).Select(_ => new Victim("DEBUG"))];

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.System.Terminate();
    }

    [Fact]
    public async Task A_cluster_lives_and_nothing_is_refused()
    {
        foreach (var node in _nodes) node.Membership.Join(node == _nodes[0] ? [] : [_nodes[0].Address]);
        await Victims.AreACluster(_nodes);
        await Victims.HearEachOther(_nodes);
        await KnowsTheReportsOf(_nodes[0], _nodes);

        // A node leaves in order.
        _nodes[3].Membership.Leave();
        await Eventually.Holds(() => _nodes[3].System.WhenTerminated.IsCompleted, () => "the node that left goes on");
        await Victims.AreACluster(_nodes[..3]);

        // A node dies: it becomes unreachable, and the rule for split brains removes it.
        ((ExtendedActorSystem)_nodes[2].System).Abort();
        await Victims.AreACluster(_nodes[..2]);
        await Victims.HearEachOther(_nodes[..2]);

        // A node is downed.
        _nodes[0].Membership.Down(_nodes[1].Address);
        await Eventually.Holds(
            () => _nodes[1].System.WhenTerminated.IsCompleted, () => "the node that was downed goes on");
        await Victims.AreACluster(_nodes[..1]);

        Assert.All(_nodes, n => Assert.DoesNotContain(
            LogLines.Of(n.System), line => Array.Exists(Refusals, r => line.Contains(r, StringComparison.Ordinal))));
        Assert.NotEmpty(LogLines.Of(_nodes[0].System));
    }

    [Fact]
    public async Task A_message_without_a_serializer_is_refused_where_it_is_sent()
    {
        await Victims.AreACluster([.. await Started(2)]);

        var there = ((ExtendedActorSystem)_nodes[0].System).Provider.ResolveActorRef(_nodes[1].PathOf("/user/bitmaps"));
        there.Tell(Gadget.ByHand("boo"), ActorRefs.Nobody);

        await Eventually.Holds(
            () => Victims.LogOf(_nodes[0]).Contains("Gadget does not cross nodes", StringComparison.Ordinal),
            () => $"it is not logged\n{Victims.LogOf(_nodes[0])}");
        await Victims.HearEachOther(_nodes[..2]);
        Assert.DoesNotContain(_nodes[1].Bitmaps.Messages, m => m is Gadget);
    }

    private async Task<IReadOnlyList<Victim>> Started(int count)
    {
        var started = _nodes[..count];
        foreach (var node in started) node.Membership.Join(node == _nodes[0] ? [] : [_nodes[0].Address]);
        await Victims.AreACluster(started);
        return started;
    }

    // Reports are sent to the path /user/node.
    private static async Task KnowsTheReportsOf(Victim node, IReadOnlyList<Victim> others)
    {
        var known = new Recorder();
        var listen = new NodeProtocol.Listen(node.System.ActorOf(known.Props));
        node.System.ActorSelection($"/user/{NodeActor.Name}").Tell(listen, ActorRefs.Nobody);
        await Eventually.Holds(
            () => known.Messages.OfType<NodeProtocol.NodesChanged>().LastOrDefault() is { } last
                && last.Nodes.Count(n => n.Report is not null) == others.Count,
            () => "reports do not arrive");
    }
}
