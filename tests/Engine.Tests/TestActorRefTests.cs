using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TestActorRefTests : TestKit
{
    public TestActorRefTests()
        : base(Patience.Config)
    {
    }

    [Fact]
    public void The_actor_runs_in_the_Tell_and_can_be_looked_at()
    {
        var counter = ActorOfAsTestActorRef<Counter>("counter");

        counter.Tell(2);
        Assert.Equal(2, counter.UnderlyingActor.Total);
        ExpectMsg(2);
        IActorRef reference = counter;
        reference.Tell(3);
        Assert.Equal(5, counter.UnderlyingActor.Total);
        ExpectMsgFrom(counter, 5);

        Assert.Equal("counter", counter.Path.Name);
        Assert.True(counter == counter.Ref);
        Assert.Equal(counter.Ref, TestActorRefBase<Counter>.ToActorRef(counter));
    }

    [Fact]
    public void Receive_throws_to_the_caller_and_leaves_the_actor_alive()
    {
        var counter = ActorOfAsTestActorRef(() => new Counter());
        counter.Receive(1, TestActor);
        ExpectMsg(1);
        Assert.Throws<InvalidOperationException>(() => counter.Receive(-1));
        Assert.Equal(1, counter.UnderlyingActor.Total);
    }

    [Fact]
    public void A_failure_in_Tell_goes_to_the_supervisor_and_a_restart_replaces_the_actor()
    {
        var counter = ActorOfAsTestActorRef<Counter>(Props.Create<Counter>());
        counter.Tell(1);
        var first = counter.UnderlyingActor;

        EventFilter.Exception<InvalidOperationException>("cannot add -1").ExpectOne(() => counter.Tell(-1));

        AwaitAssert(() => Assert.NotSame(first, counter.UnderlyingActor), interval: TimeSpan.FromMilliseconds(5));
        Assert.Equal(0, counter.UnderlyingActor.Total);
    }

    [Fact]
    public void It_can_have_a_supervisor_of_the_tests_own()
    {
        var parent = ActorOfAsTestActorRef<Counter>("parent");
        var child = ActorOfAsTestActorRef<Counter>(parent.Ref, "child");
        Assert.Equal(parent.Path / "child", child.Path);
        Assert.ThrowsAny<Exception>(() => ActorOfAsTestActorRef<Counter>(parent.Ref, "child"));
    }

    [Fact]
    public void It_dies_as_any_actor_does()
    {
        var counter = ActorOfAsTestActorRef<Counter>();
        Watch(counter);
        Sys.Stop(counter);
        ExpectTerminated(counter);
        Assert.Throws<IllegalActorStateException>(() => counter.UnderlyingActor);
    }

    [Fact]
    public void An_actor_elsewhere_is_waited_for()
    {
        var counter = ActorOfAsTestActorRef<Counter>(
            Props.Create<Counter>().WithDispatcher("akka.actor.default-dispatcher"));
        Assert.Equal(0, counter.UnderlyingActor.Total);
        counter.Tell(1);
        ExpectMsg(1);
    }

    [Fact]
    public void The_calling_thread_dispatcher_runs_any_actor_in_the_Tell()
    {
        var threads = new List<int>();
        var actor = Sys.ActorOf(
            Props.Create(() => new ThreadRecorder(threads)).WithDispatcher(CallingThreadDispatcher.Id));
        actor.Tell("warm up");
        AwaitAssert(() => Assert.Single(threads), interval: TimeSpan.FromMilliseconds(5));
        threads.Clear();

        for (var i = 0; i < 3; i++)
            actor.Tell(i);

        Assert.Equal(Enumerable.Repeat(Environment.CurrentManagedThreadId, 3), threads);
    }

    [Fact]
    public void A_message_to_itself_is_processed_in_the_same_Tell()
    {
        var counted = new List<int>();
        var actor = ActorOfAsTestActorRef(() => new CountDown(counted));
        actor.Tell(3);
        Assert.Equal([3, 2, 1, 0], counted);
    }

    private sealed class ThreadRecorder : UntypedActor
    {
        private readonly List<int> _threads;

        public ThreadRecorder(List<int> threads) => _threads = threads;

        protected override void OnReceive(object message) => _threads.Add(Environment.CurrentManagedThreadId);
    }

    private sealed class CountDown : ReceiveActor
    {
        public CountDown(List<int> counted)
        {
            Receive<int>(n =>
            {
                counted.Add(n);
                if (n > 0)
                    Self.Tell(n - 1);
            });
        }
    }
}
