using Akka.Actor;
using Akka.Configuration;
using Userfault.Linux;
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
        spinning {
          type = "Userfault.Actors.EventLoopDispatcherConfigurator, Userfault.Actors"
          spin = 0.2ms
          shutdown-timeout = 0s
        }
        """;

    [Fact]
    public void Its_actors_run_on_one_thread_in_the_order_of_their_messages()
    {
        var actors = Enumerable
            .Range(0, 8)
            .Select(i => Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop"), $"teller-{i}"))
            .ToArray();
        // Each of these finds the thread parked, or not; none is lost either way.
        for (var i = 0; i < 200; i++)
        {
            foreach (var actor in actors)
                actor.Tell(i);
        }

        var next = new int[actors.Length];
        var threads = new HashSet<Thread>();
        for (var i = 0; i < 200 * actors.Length; i++)
        {
            var said = ExpectMsg<Teller.Said>(
                (m, sender) => Assert.Equal(next[Array.IndexOf(actors, sender)]++, m.Number)
            );
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
            Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop")),
            Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop"))
        );
        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => bad.Tell("fail"));
        good.Tell(1);
        bad.Tell(2);
        Assert.Equal(
            [1, 2],
            ((int[])[ExpectMsg<Teller.Said>().Number, ExpectMsg<Teller.Said>().Number]).Order().ToArray()
        );
    }

    [Theory]
    [InlineData("loop", 1)]
    [InlineData("loop", 3)]
    [InlineData("spinning", 1)]
    [InlineData("spinning", 3)]
    public void It_reads_descriptors_on_its_thread_between_messages_and_while_it_is_parked(string dispatcher, int count)
    {
        if (!Doorbell.TakesDescriptors)
            return;
        var actor = Sys.ActorOf(Teller.Props(TestActor).WithDispatcher(dispatcher));
        var loop = EventLoopDispatcher.LoopOf(Sys, dispatcher)!;
        var readers = Enumerable.Range(0, count).Select(_ => new ByteReader(loop, TestActor)).ToArray();
        foreach (var reader in readers)
            Assert.True(loop.TryAdd(reader));

        for (var i = 0; i < 200; i++)
        {
            var reader = readers[i % count];
            reader.Send((byte)i);
            var read = ExpectMsg<ByteReader.Read>();
            Assert.Equal(((byte)i, dispatcher), (read.Value, read.On.Name));
            actor.Tell(i);
            Assert.Equal(i, ExpectMsg<Teller.Said>().Number);
        }

        // The last word of one that fails is logged, and the loop goes on.
        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => readers[0].Send(ByteReader.Fail));
        readers[^1].Send(7);
        Assert.Equal(7, ExpectMsg<ByteReader.Read>().Value);
        // At its end a reader removes itself.
        foreach (var reader in readers)
        {
            reader.Close();
            ExpectMsg<ByteReader.Ended>();
        }

        actor.Tell(5);
        Assert.Equal(5, ExpectMsg<Teller.Said>().Number);
        Assert.All(readers, r => Assert.True(r.LooksForMore > 0));
    }

    [Fact]
    public void Its_end_is_told_to_what_it_reads()
    {
        if (!Doorbell.TakesDescriptors)
            return;
        var actor = Sys.ActorOf(Teller.Props(TestActor).WithDispatcher("loop"));
        var loop = EventLoopDispatcher.LoopOf(Sys, "loop")!;
        using var reader = new ByteReader(loop, TestActor);
        Assert.True(loop.TryAdd(reader));

        Sys.Stop(actor);

        ExpectMsg<ByteReader.LoopEnded>();
        using var late = new ByteReader(loop, TestActor);
        Assert.False(loop.TryAdd(late));
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("spinning")]
    public void What_is_due_is_told_in_the_order_of_its_time_and_never_early(string dispatcher)
    {
        var time = EventLoopDispatcher.TimeOf(Sys, dispatcher)!;
        var actor = Sys.ActorOf(Clock.Props(TestActor, time).WithDispatcher(dispatcher));
        var startNs = time.NowNs;
        // From another thread, past and near and far; then from its own, where all are entered before the first is
        // looked at.
        int[] delaysUs = [-5, 0, 40, 250, 1000, 3000];
        foreach (var us in delaysUs)
            time.TellAt(startNs + (us * 1000L), actor, startNs + (us * 1000L));

        var told = delaysUs.Select(_ => ExpectMsg<Clock.Told>()).ToArray();
        Assert.All(told, t => Assert.True(t.AtNs >= t.DueNs));
        Assert.Equal(delaysUs.Select(us => startNs + (us * 1000L)), told.Select(t => t.DueNs));

        actor.Tell(Clock.Series.Instance);
        var series = Enumerable.Range(0, Clock.Series.Due.Length).Select(_ => ExpectMsg<Clock.Told>()).ToArray();
        Assert.All(series, t => Assert.True(t.AtNs >= t.DueNs));
        Assert.Equal(series.Select(t => t.DueNs).Order(), series.Select(t => t.DueNs));
    }

    /// <summary>No real time is waited for: the loop looks at its clock once in so many messages at least.</summary>
    [Theory]
    [InlineData("loop")]
    [InlineData("spinning")]
    public void What_is_due_is_not_hidden_by_what_is_entered_later_and_due_in_an_hour(string dispatcher)
    {
        var actor = Sys.ActorOf(
            Clock.Props(TestActor, EventLoopDispatcher.TimeOf(Sys, dispatcher)!).WithDispatcher(dispatcher)
        );
        actor.Tell(Clock.Pair.Instance);
        for (var i = 0; i < 1000; i++)
        {
            actor.Tell(Clock.Ping.Instance);
            if (ExpectMsg<object>() is Clock.Told)
                return;
        }

        Assert.Fail("what was due at once is not told after 1000 messages");
    }

    [Fact]
    public void Other_dispatchers_are_no_clock() =>
        Assert.Null(EventLoopDispatcher.TimeOf(Sys, "akka.actor.default-dispatcher"));

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

    // Says when it was told; and enters a series of its own.
    private sealed class Clock(IActorRef to, IGuestTime time) : UntypedActor
    {
        private const long HourNs = 3_600_000_000_000;

        public static Props Props(IActorRef to, IGuestTime time) => Akka.Actor.Props.Create(() => new Clock(to, time));

        protected override void OnReceive(object message)
        {
            if (message is Series)
            {
                var nowNs = time.NowNs;
                foreach (var us in Series.Due)
                    time.TellAt(nowNs + (us * 1000L), Self, nowNs + (us * 1000L));
                return;
            }

            if (message is Pair)
            {
                var nowNs = time.NowNs;
                time.TellAt(nowNs, Self, nowNs);
                time.TellAt(nowNs + HourNs, Self, nowNs + HourNs);
                return;
            }

            if (message is Ping)
            {
                to.Tell(message);
                return;
            }

            to.Tell(new Told((long)message, time.NowNs));
        }

        public sealed record Told(long DueNs, long AtNs);

        public sealed class Pair
        {
            public static readonly Pair Instance = new();
        }

        public sealed class Ping
        {
            public static readonly Ping Instance = new();
        }

        public sealed class Series
        {
            public static readonly Series Instance = new();

            public static readonly int[] Due = [700, 10, 2000, 90, 91, 0];
        }
    }

    private sealed class Teller(IActorRef to) : UntypedActor
    {
        public static Props Props(IActorRef to) => Akka.Actor.Props.Create(() => new Teller(to));

        protected override void OnReceive(object message)
        {
            if (message is not int number)
                throw new InvalidOperationException("told to fail");
            to.Tell(new Said(number, Thread.CurrentThread));
        }

        public sealed record Said(int Number, Thread On);
    }
}
