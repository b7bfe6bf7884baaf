using Akka.Actor;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

/// <summary>The test kit against real actors: the sort of spec the other rooms write.</summary>
public sealed class ActorSpecs : TestKit
{
    public ActorSpecs()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void A_receive_actor_answers_the_test_actor()
    {
        var counter = Sys.ActorOf(Props.Create(() => new Counter()), "counter");

        counter.Tell(2);
        counter.Tell(3);

        ExpectMsg(2);
        ExpectMsgFrom(counter, 5);
        Assert.Equal(counter, LastSender);
        counter.Tell("become busy");
        counter.Tell(1.5);
        ExpectMsg("busy: 1.5");
        ExpectNoMsg(TimeSpan.FromMilliseconds(20));
    }

    [Fact]
    public void An_untyped_actor_passes_on_to_a_probe_and_answers_the_sender()
    {
        var probe = CreateTestProbe("next");
        var relay = ActorOf(() => new Relay(probe));

        relay.Tell("on");
        relay.Tell(21);

        probe.ExpectMsgFrom(relay, "on");
        ExpectMsg(42);
        EventFilter.Warning(start: "Unhandled message from").ExpectOne(() => relay.Tell(1.5));
    }

    [Fact]
    public void A_failure_is_logged_once_and_restarts_the_actor()
    {
        var counter = Sys.ActorOf(Props.Create(() => new Counter()), "counter");
        counter.Tell(4);
        ExpectMsg(4);

        EventFilter.Exception<InvalidOperationException>(message: "cannot add -1", source: "akka://test/user/counter")
            .ExpectOne(() => counter.Tell(-1));

        counter.Tell(1);
        ExpectMsg(1);
    }

    [Fact]
    public void The_end_of_a_watched_actor_is_seen()
    {
        var relay = ActorOf(() => new Relay(TestActor));

        Watch(relay);
        relay.Tell(PoisonPill.Instance);

        ExpectTerminated(relay);
    }
}
