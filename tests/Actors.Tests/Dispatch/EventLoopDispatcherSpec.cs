using Akka.Actor;
using Akka.Configuration;
using Xunit.Abstractions;

namespace Userfault.Actors.Tests.Dispatch;

/// <summary>One thread for the actors of a fault's way.</summary>
public sealed class EventLoopDispatcherSpec(ITestOutputHelper output) : Spec(output, Loop)
{
    private const string Loop = """
        loop {
          type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"
          spin = 0
          throughput = 10
          shutdown-timeout = 0s
        }
        """;

    [Fact]
    public void Its_actors_run_on_one_thread_in_the_order_of_their_messages()
    {
        var actors = Enumerable.Range(0, 8).Select(i => Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop"), $"teller-{i}")).ToArray();
        // Each of these finds the thread parked, or not; none is lost either way.
        for (var i = 0; i < 200; i++)
        {
            foreach (var actor in actors) actor.Tell(i);
        }

        var next = new int[actors.Length];
        var threads = new HashSet<Thread>();
        for (var i = 0; i < 200 * actors.Length; i++)
        {
            var said = ExpectMsg<Teller.Said>((m, sender) => Assert.Equal(next[Array.IndexOf(actors, sender)]++, m.Number));
            threads.Add(said.On);
        }

        Assert.Equal("loop", Assert.Single(threads).Name);
    }

    [Fact]
    public void It_parks_and_wakes_for_every_message()
    {
        var actor = Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop"));
        for (var i = 0; i < 1000; i++)
        {
            actor.Tell(i);
            Assert.Equal(i, ExpectMsg<Teller.Said>().Number);
        }
    }

    [Fact]
    public void An_actor_that_fails_does_not_end_the_thread_of_the_others()
    {
        var (bad, good) = (
            Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop")), Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop")));
        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => bad.Tell("fail"));
        good.Tell(1);
        bad.Tell(2);
        Assert.Equal([1, 2], ((int[])[ExpectMsg<Teller.Said>().Number, ExpectMsg<Teller.Said>().Number]).Order().ToArray());
    }

    [Fact]
    public void Its_thread_ends_with_the_system()
    {
        var system = ActorSystem.Create("short", ConfigurationFactory.ParseString(Loop));
        Thread thread;
        try
        {
            system.ActorOf(Teller.Props(TestActor).WithDispatcher("loop")).Tell(1);
            thread = ExpectMsg<Teller.Said>().On;
        }
        finally
        {
            Shutdown(system, TimeSpan.FromSeconds(60));
        }

        Assert.True(thread.Join(TimeSpan.FromSeconds(60)));
    }

    private sealed class Teller(IActorRef to) : UntypedActor
    {
        public static Props Props(IActorRef to) => Akka.Actor.Props.Create(() => new Teller(to));

        protected override void OnReceive(object message)
        {
            if (message is not int number) throw new InvalidOperationException("told to fail");
            to.Tell(new Said(number, Thread.CurrentThread));
        }

        public sealed record Said(int Number, Thread On);
    }
}
