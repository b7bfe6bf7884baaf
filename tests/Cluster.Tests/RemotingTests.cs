using Akka.Actor;
using Akka.Event;

namespace Userfault.Cluster.Tests;

/// <summary>Actors of two systems talk as if they lived in one.</summary>
public sealed class RemotingTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Node _here = new();
    private readonly Node _there = new();

    public void Dispose()
    {
        _here.Dispose();
        _there.Dispose();
    }

    [Fact]
    public void A_message_arrives_with_its_sender_and_the_answer_comes_back()
    {
        var echo = _there.System.ActorOf(Props.Create(() => new Echo()), "echo");
        var probe = new Probe(_here.System);
        var remote = Resolve(_here, _there.PathOf(echo));

        remote.Tell(new Ping(7), probe.Ref);

        Assert.Equal(new Ping(7), probe.Next());
        Assert.Equal(_there.PathOf(echo), probe.LastSender.Path.ToString());
        Assert.Equal(echo.Path.Uid, probe.LastSender.Path.Uid);
    }

    [Fact]
    public void Plain_values_travel()
    {
        _there.System.ActorOf(Props.Create(() => new Echo()), "echo");
        var probe = new Probe(_here.System);
        var remote = Resolve(_here, _there.Address + "/user/echo");
        object[] values = ["text", 42, 43L, true, "", new string('x', 10_000)];

        foreach (var value in values)
            remote.Tell(value, probe.Ref);

        Assert.All(values, value => Assert.Equal(value, probe.Next()));
    }

    [Fact]
    public void Messages_of_a_pair_keep_their_order()
    {
        const int Count = 20_000;
        var probe = new Probe(_there.System, "probe");
        var remote = Resolve(_here, _there.PathOf(probe.Ref));

        for (var i = 0; i < Count; i++)
            remote.Tell(new Ping(i), ActorRefs.NoSender);

        for (var i = 0; i < Count; i++)
            Assert.Equal(i, probe.Next<Ping>().Number);
    }

    [Fact]
    public async Task Ask_works_across_nodes()
    {
        _there.System.ActorOf(Props.Create(() => new Echo()), "echo");

        var answer = await _here.System.ActorSelection(_there.Address + "/user/echo").Ask<Ping>(new Ping(3), Patience);

        Assert.Equal(3, answer.Number);
    }

    [Fact]
    public void A_reference_in_a_message_can_be_told()
    {
        var probe = new Probe(_here.System);
        var far = new Probe(_there.System, "far");

        Resolve(_here, _there.PathOf(far.Ref)).Tell(new Introduce(probe.Ref), ActorRefs.NoSender);
        far.Next<Introduce>().Actor.Tell(new Ping(1), ActorRefs.NoSender);

        Assert.Equal(new Ping(1), probe.Next());
    }

    [Fact]
    public void A_selection_reaches_actors_by_name_and_by_pattern()
    {
        var first = new Probe(_there.System, "worker-1");
        var second = new Probe(_there.System, "worker-2");
        var other = new Probe(_there.System, "other");

        _here.System.ActorSelection(_there.Address + "/user/worker-*").Tell(new Ping(1), ActorRefs.NoSender);
        _here.System.ActorSelection(_there.Address + "/user/worker-2").Tell(new Ping(2), ActorRefs.NoSender);

        Assert.Equal(new Ping(1), first.Next());
        Assert.Equal(new Ping(1), second.Next());
        Assert.Equal(new Ping(2), second.Next());
        Assert.True(other.IsEmpty);
    }

    [Fact]
    public async Task A_selection_resolves_to_a_reference()
    {
        var probe = new Probe(_there.System, "worker");

        var found = await _here.System.ActorSelection(_there.Address + "/user/worker").ResolveOne(Patience);
        found.Tell(new Ping(5), ActorRefs.NoSender);

        Assert.Equal(new Ping(5), probe.Next());
        await Assert.ThrowsAsync<ActorNotFoundException>(
            () => _here.System.ActorSelection(_there.Address + "/user/nobody").ResolveOne(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_watcher_hears_that_an_actor_elsewhere_stopped()
    {
        var probe = new Probe(_here.System);
        _there.System.ActorOf(Props.Create(() => new Echo()), "echo");
        var remote = await _here.System.ActorSelection(_there.Address + "/user/echo").ResolveOne(Patience);

        probe.Watch(remote);
        probe.Ref.Tell("in", ActorRefs.NoSender);
        probe.Next();
        remote.Tell(PoisonPill.Instance, ActorRefs.NoSender);

        var terminated = probe.Next<Terminated>();
        Assert.Equal(remote, terminated.ActorRef);
        Assert.True(terminated.ExistenceConfirmed);
        Assert.False(terminated.AddressTerminated);
    }

    [Fact]
    public async Task Who_no_longer_watches_hears_nothing()
    {
        var unwatching = new Probe(_here.System);
        var watching = new Probe(_here.System);
        _there.System.ActorOf(Props.Create(() => new Echo()), "echo");
        var remote = await _here.System.ActorSelection(_there.Address + "/user/echo").ResolveOne(Patience);

        unwatching.Watch(remote);
        watching.Watch(remote);
        unwatching.Unwatch(remote);
        foreach (var probe in new[] { unwatching, watching })
        {
            probe.Ref.Tell("in", ActorRefs.NoSender);
            probe.Next();
        }
        remote.Tell(PoisonPill.Instance, ActorRefs.NoSender);

        watching.Next<Terminated>();
        Assert.True(unwatching.IsEmpty);
    }

    [Fact]
    public void Watching_an_actor_that_never_was_ends_at_once()
    {
        var probe = new Probe(_here.System);

        probe.Watch(Resolve(_here, _there.Address + "/user/nobody"));

        Assert.False(probe.Next<Terminated>().ExistenceConfirmed);
    }

    [Fact]
    public async Task When_a_node_ends_in_order_watchers_hear_of_its_actors()
    {
        var other = new Node();
        var probe = new Probe(_here.System);
        other.System.ActorOf(Props.Create(() => new Echo()), "echo");
        var remote = await _here.System.ActorSelection(other.Address + "/user/echo").ResolveOne(Patience);
        probe.Watch(remote);
        remote.Tell(new Ping(1), probe.Ref);
        probe.Next<Ping>();

        other.Dispose();

        Assert.Equal(remote, probe.Next<Terminated>().ActorRef);
    }

    [Fact]
    public void What_nobody_can_be_sent_becomes_a_dead_letter()
    {
        var gone = new Node();
        var address = gone.Address;
        gone.Dispose();
        var probe = new Probe(_here.System);
        _here.System.EventStream.Subscribe(probe.Ref, typeof(DeadLetter));

        Resolve(_here, address + "/user/somebody").Tell(new Ping(9), ActorRefs.NoSender);

        var letter = probe.Until<DeadLetter>(letter => letter.Message is Ping);
        Assert.Equal(new Ping(9), letter.Message);
        Assert.Equal(address, letter.Recipient.Path.Address);
    }

    private static IActorRef Resolve(Node node, string path)
        => ((ExtendedActorSystem)node.System).Provider.ResolveActorRef(path);
}
