using Akka.Actor;
using Akka.Event;

namespace Userfault.Simulation.Tests;

/// <summary>Order, time and hash of a world.</summary>
public sealed class SimWorldTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    public void One_seed_replays_and_another_does_not(int window)
    {
        var options = new SimOptions { Window = window };
        var (first, again, other) = (Chat.Run(7, options), Chat.Run(7, options), Chat.Run(8, options));
        Assert.Equal(20 * 31, first.Heard.Count);
        Assert.Equal(first.Heard, again.Heard);
        Assert.Equal(first.Hash, again.Hash);
        Assert.NotEqual(first.Hash, other.Hash);
        Assert.NotEqual(first.Heard, other.Heard);
        Assert.Equal(first.Heard.Order(), other.Heard.Order());
    }

    [Fact]
    public void Messages_from_one_to_another_keep_their_order_whatever_the_seed()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            using var world = new SimWorld(seed);
            var heard = new List<object>();
            var ear = world.CreateSystem("order").ActorOf(Props.Create(() => new Ear(heard)));
            for (var i = 0; i < 50; i++) ear.Tell(i);
            world.RunFor(TimeSpan.FromSeconds(1));
            Assert.Equal(Enumerable.Range(0, 50).Cast<object>(), heard);
        }
    }

    [Fact]
    public void Time_jumps_to_the_next_timer_and_stands_still_for_messages()
    {
        using var world = new SimWorld(1);
        var system = world.CreateSystem("time");
        var heard = new List<object>();
        var ear = system.ActorOf(Props.Create(() => new Ear(heard)));
        var at = new List<long>();
        world.After(3_000_000_000, "third", () => at.Add(world.NowNs));
        world.After(1_500, "first", () => at.Add(world.NowNs));
        system.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(2), ear, "second", ActorRefs.NoSender);
        world.Time.TellAt(1_501, ear, "exact");
        Assert.True(world.RunUntil(() => heard.Count == 1, TimeSpan.FromDays(1)));
        Assert.Equal(1_501, world.NowNs);
        Assert.True(world.RunUntil(() => heard.Count == 2, TimeSpan.FromDays(1)));
        Assert.Equal(2_000_000_000, world.NowNs);
        Assert.False(world.RunUntil(() => heard.Count == 3, TimeSpan.FromSeconds(10)));
        Assert.Equal([1_500L, 3_000_000_000L], at);
    }

    [Fact]
    public void A_cancelled_timer_says_nothing_and_a_repeated_one_goes_on()
    {
        using var world = new SimWorld(1);
        var system = world.CreateSystem("time");
        var heard = new List<object>();
        var ear = system.ActorOf(Props.Create(() => new Ear(heard)));
        var beat = system.Scheduler.ScheduleTellRepeatedlyCancelable(
            TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(10), ear, "tick", ActorRefs.NoSender);
        system.Scheduler.ScheduleTellOnceCancelable(TimeSpan.FromMilliseconds(5), ear, "never", ActorRefs.NoSender).Cancel();
        world.RunFor(TimeSpan.FromMilliseconds(55));
        Assert.Equal(Enumerable.Repeat<object>("tick", 5), heard);
        beat.Cancel();
        world.RunFor(TimeSpan.FromMilliseconds(100));
        Assert.Equal(5, heard.Count);
        Assert.Equal(155_000_000, world.NowNs);
    }

    [Fact]
    public void Actors_that_go_on_without_end_at_one_instant_are_named()
    {
        using var world = new SimWorld(1, new SimOptions { MostStepsAnInstant = 1000 });
        var system = world.CreateSystem("loop");
        system.ActorOf(Props.Create(() => new Looper()), "looper").Tell(1);
        var stuck = Assert.Throws<SimStuckException>(() => world.RunFor(TimeSpan.FromSeconds(1)));
        Assert.Contains("loop/user/looper", stuck.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_actors_log_is_kept_with_its_virtual_time()
    {
        using var world = new SimWorld(1);
        var system = world.CreateSystem("log");
        world.After(2_000_000, "warn", () => system.Log.Warning("it is {0}", "late"));
        world.RunFor(TimeSpan.FromSeconds(1));
        var line = Assert.Single(world.Log);
        Assert.Equal((2_000_000L, "it is late"), (line.NowNs, line.Text));
    }

    [Fact]
    public void Steps_are_seen_by_an_observer_who_changes_nothing()
    {
        var seen = new List<SimStep>();
        var hashes = new List<ulong>();
        foreach (var observed in new[] { false, true })
        {
            using var world = new SimWorld(3);
            if (observed) world.OnStep = step => seen.Add(step);
            var ear = world.CreateSystem("seen").ActorOf(Props.Create(() => new Ear(new List<object>())), "ear");
            ear.Tell("a");
            ear.Tell("b");
            world.RunFor(TimeSpan.FromSeconds(1));
            hashes.Add(world.Hash);
        }

        Assert.Equal(hashes[0], hashes[1]);
        Assert.Equal(["a", "b"], seen.Where(s => s.Path == "seen/user/ear").Select(s => s.Message));
    }

    private sealed class Ear(List<object> heard) : UntypedActor
    {
        protected override void OnReceive(object message) => heard.Add(message);
    }

    private sealed class Looper : UntypedActor
    {
        protected override void OnReceive(object message) => Self.Tell(message);
    }
}
