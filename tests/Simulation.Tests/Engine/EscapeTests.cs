using Akka.Actor;

namespace Userfault.Simulation.Tests;

/// <summary>Every way out of the simulation that an actor can take ends the run with its name.</summary>
public sealed class EscapeTests
{
    public static TheoryData<string> Ways =>
        ["task", "pool", "unsafe pool", "factory", "thread", "timer", "pipe", "await", "delay"];

    [Theory]
    [MemberData(nameof(Ways))]
    public void An_actor_that_gives_work_away_is_named(string way)
    {
        using var world = new SimWorld(1);
        using var gate = new ManualResetEventSlim();
        var actor = world.CreateSystem("esc").ActorOf(Props.Create(() => new Escaper(gate)), "escaper");
        actor.Tell(way);
        var escape = Assert.Throws<SimEscapeException>(() =>
        {
            world.RunFor(TimeSpan.FromSeconds(1));
            // What runs elsewhere is noticed when it begins: the next step comes after that.
            Assert.True(gate.Wait(TimeSpan.FromSeconds(30)), "nothing ran elsewhere");
            actor.Tell("nothing");
            world.RunFor(TimeSpan.FromSeconds(1));
        });
        Assert.Equal("esc/user/escaper", escape.Culprit);
    }

    [Fact]
    public void A_foreign_thread_that_tells_an_actor_something_is_named()
    {
        using var world = new SimWorld(1);
        var actor = world.CreateSystem("esc").ActorOf(Props.Create(() => new Escaper(null)), "escaper");
        world.RunFor(TimeSpan.FromSeconds(1));
        var thread = new Thread(() => actor.Tell("nothing")) { Name = "stranger" };
        thread.UnsafeStart();
        thread.Join();
        var escape = Assert.Throws<SimEscapeException>(() =>
        {
            actor.Tell("nothing");
            world.RunFor(TimeSpan.FromSeconds(1));
        });
        Assert.Equal("thread \"stranger\"", escape.Culprit);
        Assert.Contains("esc/user/escaper", escape.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_foreign_thread_that_sets_a_timer_is_named()
    {
        using var world = new SimWorld(1);
        var system = world.CreateSystem("esc");
        var actor = system.ActorOf(Props.Create(() => new Escaper(null)), "escaper");
        var thread = new Thread(() =>
            system.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(1), actor, "late", ActorRefs.NoSender)
        )
        {
            Name = "stranger",
        };
        thread.UnsafeStart();
        thread.Join();
        var escape = Assert.Throws<SimEscapeException>(() => world.RunFor(TimeSpan.FromSeconds(1)));
        Assert.Equal("thread \"stranger\"", escape.Culprit);
    }

    [Fact]
    public void Pool_work_of_others_is_none_of_the_worlds_business()
    {
        using var world = new SimWorld(1);
        var system = world.CreateSystem("esc");
        for (var i = 0; i < 10; i++)
        {
            using var ran = new ManualResetEventSlim();
            ThreadPool.QueueUserWorkItem(_ => ran.Set());
            system.ActorOf(Props.Create(() => new Escaper(null))).Tell("nothing");
            world.RunFor(TimeSpan.FromSeconds(1));
            Assert.True(ran.Wait(TimeSpan.FromSeconds(30)));
        }
    }

#pragma warning disable RS0030, CA2008, CA1001 // What is forbidden is what is tested.
    private sealed class Escaper(ManualResetEventSlim? gate) : ReceiveActor
    {
        private Timer? _timer;

        protected override void PreStart() =>
            Become(() =>
            {
                Receive<string>(way => way == "await" || way == "delay" ? Awaits(way) : Escape(way));
            });

        protected override void PostStop() => _timer?.Dispose();

        private bool Awaits(string way)
        {
            async Task Go()
            {
                await (way == "delay" ? Task.Delay(1) : Task.Run(() => { }));
                gate?.Set();
            }

            _ = Go();
            return true;
        }

        private bool Escape(string way)
        {
            switch (way)
            {
                case "task":
                    Task.Run(() => gate?.Set());
                    break;
                case "pool":
                    ThreadPool.QueueUserWorkItem(_ => gate?.Set());
                    break;
                case "unsafe pool":
                    ThreadPool.UnsafeQueueUserWorkItem(_ => gate?.Set(), null);
                    break;
                case "factory":
                    Task.Factory.StartNew(() => gate?.Set());
                    break;
                case "thread":
                    new Thread(() => gate?.Set()) { Name = "helper" }.Start();
                    break;
                case "timer":
                    _timer = new Timer(_ => gate?.Set(), null, 1, Timeout.Infinite);
                    break;
                case "pipe":
                    Task.Run(() =>
                        {
                            gate?.Set();
                            return "nothing";
                        })
                        .PipeTo(Self);
                    break;
            }

            return true;
        }
    }
#pragma warning restore RS0030, CA2008, CA1001
}
