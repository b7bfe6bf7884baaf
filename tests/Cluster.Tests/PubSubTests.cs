using Akka.Actor;
using Akka.Cluster.Tools.PublishSubscribe;
using Akka.Event;

namespace Userfault.Cluster.Tests;

/// <summary>What one node publishes reaches the takers of all, in order.</summary>
public sealed class PubSubTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly List<Node> _nodes = [];

    public PubSubTests()
    {
        for (var i = 0; i < 3; i++)
        {
            _nodes.Add(new Node("akka.cluster.pub-sub.gossip-interval = 100ms"));
            _ = Mediator(i);
            Akka.Cluster.Cluster.Get(_nodes[i].System).Join(_nodes[0].Address);
        }
        Assert.All(_nodes, node => Assert.True(SpinWait.SpinUntil(
            () => Akka.Cluster.Cluster.Get(node.System).State.Members.Count(m => m.Status == Akka.Cluster.MemberStatus.Up) == 3, Patience)));
    }

    public void Dispose() => _nodes.ForEach(node => node.Dispose());

    [Fact]
    public async Task Every_subscriber_on_every_node_hears_what_is_published_in_order()
    {
        const int Count = 500;
        var probes = await SubscribeAll("bits/vm-1/slot 0");

        for (var i = 0; i < Count; i++)
            Mediator(0).Tell(new Publish("bits/vm-1/slot 0", new Ping(i)), probes[0].Ref);

        foreach (var probe in probes)
        {
            for (var i = 0; i < Count; i++)
                Assert.Equal(i, probe.Next<Ping>().Number);
            Assert.Equal(probes[0].Ref.Path.Name, probe.LastSender.Path.Name);
        }
    }

    [Fact]
    public async Task Who_has_unsubscribed_hears_nothing_more()
    {
        var probes = await SubscribeAll("topic");
        var unsubscribe = new Unsubscribe("topic", probes[1].Ref);

        Mediator(1).Tell(unsubscribe, probes[1].Ref);
        Assert.Equal(unsubscribe, probes[1].Next<UnsubscribeAck>().Unsubscribe);
        Mediator(0).Tell(new Publish("topic", new Ping(1)), ActorRefs.NoSender);

        probes[0].Next<Ping>();
        probes[2].Next<Ping>();
        Assert.True(probes[1].IsEmpty);
    }

    [Fact]
    public async Task One_of_each_group_hears_what_is_published_so()
    {
        var grouped = new[] { new Probe(_nodes[0].System), new Probe(_nodes[1].System) };
        for (var i = 0; i < 2; i++)
        {
            Mediator(i).Tell(new Subscribe("topic", grouped[i].Ref, "group"), grouped[i].Ref);
            grouped[i].Next<SubscribeAck>();
        }
        var alone = new Probe(_nodes[2].System);
        Mediator(2).Tell(new Subscribe("topic", alone.Ref, "other"), alone.Ref);
        alone.Next<SubscribeAck>();
        await AwaitSpread();

        for (var i = 0; i < 20; i++)
            Mediator(0).Tell(new Publish("topic", new Ping(i), sendOneMessageToEachGroup: true), ActorRefs.NoSender);
        for (var i = 0; i < 20; i++)
            Assert.Equal(i, alone.Next<Ping>().Number);

        var heard = 0;
        Assert.True(SpinWait.SpinUntil(() => (heard = grouped.Sum(probe => probe.Count)) == 20, Patience), $"{heard} of 20");
    }

    [Fact]
    public void A_path_is_sent_to_once_or_everywhere()
    {
        var probes = _nodes.Select((node, i) => new Probe(node.System, "taker")).ToList();
        for (var i = 0; i < 3; i++)
            Mediator(i).Tell(new Put(probes[i].Ref), ActorRefs.NoSender);
        Assert.True(SpinWait.SpinUntil(
            () =>
            {
                Mediator(0).Tell(new SendToAll("/user/taker", "hello"), ActorRefs.NoSender);
                return probes.TrueForAll(probe => !probe.IsEmpty);
            },
            Patience));

        Mediator(0).Tell(new Send("/user/taker", new Ping(1), localAffinity: true), ActorRefs.NoSender);
        Mediator(0).Tell(new SendToAll("/user/taker", new Ping(2), excludeSelf: true), ActorRefs.NoSender);

        Assert.Equal(1, probes[0].Until<Ping>().Number);
        Assert.Equal(2, probes[1].Until<Ping>().Number);
        Assert.Equal(2, probes[2].Until<Ping>().Number);
        Assert.True(probes[0].IsEmpty);
    }

    [Fact]
    public async Task Topics_are_known_everywhere()
    {
        await SubscribeAll("one two");

        var topics = await Mediator(2).Ask<CurrentTopics>(GetTopics.Instance, Patience);

        Assert.Contains("one two", topics.Topics);
    }

    [Fact]
    public void What_nobody_takes_becomes_a_dead_letter()
    {
        var probe = new Probe(_nodes[0].System);
        _nodes[0].System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));

        Mediator(0).Tell(new Publish("nobody", new Ping(1)), ActorRefs.NoSender);

        Assert.NotNull(probe.Until<DeadLetter>(letter => letter.Message is Publish or Ping));
    }

    private IActorRef Mediator(int node) => DistributedPubSub.Get(_nodes[node].System).Mediator;

    private async Task<List<Probe>> SubscribeAll(string topic)
    {
        var probes = new List<Probe>();
        for (var i = 0; i < _nodes.Count; i++)
        {
            var probe = new Probe(_nodes[i].System, $"subscriber-{i}");
            var subscribe = new Subscribe(topic, probe.Ref);
            Mediator(i).Tell(subscribe, probe.Ref);
            Assert.Equal(subscribe, probe.Next<SubscribeAck>().Subscribe);
            probes.Add(probe);
        }
        await AwaitSpread();
        return probes;
    }

    // A node's changes spread in their order: who knows its newest topic knows all before it.
    private async Task AwaitSpread()
    {
        for (var i = 0; i < _nodes.Count; i++)
        {
            var marker = new Probe(_nodes[i].System);
            Mediator(i).Tell(new Subscribe($"marker-{i}", marker.Ref), marker.Ref);
            marker.Next<SubscribeAck>();
        }
        using var patience = new CancellationTokenSource(Patience);
        for (var i = 0; i < _nodes.Count; i++)
        {
            while ((await Mediator(i).Ask<CurrentTopics>(GetTopics.Instance, Patience)).Topics.Count(topic => topic.StartsWith("marker-", StringComparison.Ordinal)) < _nodes.Count)
                patience.Token.ThrowIfCancellationRequested();
        }
    }
}
