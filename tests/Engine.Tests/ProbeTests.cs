using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class ProbeTests : TestKit
{
    public ProbeTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void A_probe_is_an_actor_reference()
    {
        var probe = CreateTestProbe("probe");
        IActorRef reference = probe;

        reference.Tell("a");
        ((ICanTell)probe).Tell("b", ActorRefs.NoSender);

        Assert.Equal("a", probe.ExpectMsg<string>());
        Assert.Equal(TestActor, probe.Sender);
        Assert.Equal("b", probe.ExpectMsg<string>());
        Assert.Equal(probe.Ref, reference);
        Assert.Equal("probe", reference.Path.Name);
        Assert.True(reference.Equals(probe.TestActor));
        Assert.Equal(0, reference.CompareTo(probe.Ref));
        Assert.Equal(probe.Ref.GetHashCode(), probe.GetHashCode());
    }

    [Fact]
    public void A_probe_sends_replies_and_forwards()
    {
        var probe = CreateTestProbe();
        var other = CreateTestProbe();

        probe.Send(other, "question");
        other.ExpectMsgFrom<string>(probe.Ref);
        other.Reply("answer");
        probe.ExpectMsg("answer");
        Assert.Equal(other.Ref, probe.LastSender);

        probe.Forward(TestActor);
        ExpectMsg("answer");
        Assert.Equal(other.Ref, LastSender);
        probe.Forward(TestActor, "instead");
        ExpectMsg("instead");
        Assert.Equal(other.Ref, LastSender);
    }

    [Fact]
    public void A_probe_sees_an_actor_die_and_can_be_seen_dying()
    {
        var probe = CreateTestProbe();
        var relay = ActorOf(() => new Relay(probe));

        probe.Watch(relay);
        Watch(probe);
        Sys.Stop(relay);
        probe.ExpectTerminated(relay);
        Sys.Stop(probe);
        ExpectTerminated(probe);
    }

    [Fact]
    public void An_unwatched_actor_dies_unseen()
    {
        var relay = ActorOf(() => new Relay(TestActor));
        Assert.Equal(relay, Watch(relay));
        Assert.Equal(relay, Unwatch(relay));

        var probe = CreateTestProbe();
        probe.Watch(relay);
        Sys.Stop(relay);
        probe.ExpectTerminated(relay);

        ExpectNoMsg(Failure.Short);
    }

    [Fact]
    public void A_probe_does_not_take_over_as_the_sender()
    {
        _ = CreateTestProbe();
        TestActor.Tell("a");
        ExpectMsgFrom<string>(TestActor);
    }

    [Fact]
    public void A_test_actor_can_have_children()
    {
        var child = ChildActorOf(Props.Create(() => new Counter()), "child");
        Assert.Equal(TestActor.Path / "child", child.Path);
        child.Tell(1);
        ExpectMsgFrom(child, 1);

        var probe = CreateTestProbe();
        Assert.Equal(probe.Ref.Path, probe.ChildActorOf<Counter>("child").Path.Parent);
        Assert.Equal(probe.Ref.Path, probe.ChildActorOf<Counter>().Path.Parent);
        Assert.Equal(TestActor.Path, ChildActorOf(Props.Create<Counter>()).Path.Parent);
    }

    [Fact]
    public void An_auto_pilot_answers_until_it_stops()
    {
        var probe = CreateTestProbe();
        probe.SetAutoPilot(new DelegateAutoPilot((sender, message) =>
        {
            sender.Tell($"re: {message}");
            return message is "last" ? AutoPilot.NoAutoPilot : AutoPilot.KeepRunning;
        }));

        foreach (var text in new[] { "first", "last", "after" })
            probe.Ref.Tell(text);

        ExpectMsg("re: first");
        ExpectMsg("re: last");
        ExpectNoMsg(Failure.Short);
        Assert.Equal(new object[] { "first", "last", "after" }, probe.ReceiveN(3));
    }

    [Fact]
    public void An_auto_pilot_may_hand_over_to_another()
    {
        SetAutoPilot(new Pilot(2));
        var probe = CreateTestProbe();
        for (var i = 0; i < 4; i++)
            TestActor.Tell(i, probe);

        Assert.Equal(new object[] { 2, 1 }, probe.ReceiveN(2));
        probe.ExpectNoMsg(Failure.Short);
        ReceiveN(4);
    }

    private sealed class Pilot(int left) : AutoPilot
    {
        public override AutoPilot Run(IActorRef sender, object message)
        {
            sender.Tell(left);
            return left == 1 ? NoAutoPilot : new Pilot(left - 1);
        }
    }
}
