using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TestSchedulerTests : TestKit
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    public TestSchedulerTests()
        : base(Patience.Config + "akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"")
    {
    }

    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void Time_passes_only_by_advance()
    {
        var start = Scheduler.Now;
        Scheduler.ScheduleTellOnce(10 * Minute, TestActor, "late", ActorRefs.NoSender);

        Scheduler.Advance(9 * Minute);
        ExpectNoMsg(TimeSpan.Zero);
        Scheduler.AdvanceTo(start + 10 * Minute);
        ExpectMsg("late");
        Assert.Equal(start + 10 * Minute, Scheduler.Now);
        Scheduler.Advance(60 * Minute);
        ExpectNoMsg(TimeSpan.Zero);
        Assert.Throws<InvalidOperationException>(() => Scheduler.AdvanceTo(start));
    }

    [Fact]
    public void What_is_due_runs_earliest_first()
    {
        var ran = new List<int>();
        foreach (var minute in new[] { 3, 1, 4, 2 })
            Scheduler.Advanced.ScheduleOnce(minute * Minute, () => ran.Add(minute));

        Scheduler.Advance(3 * Minute);
        Assert.Equal([1, 2, 3], ran);
        Scheduler.Advance(Minute);
        Assert.Equal([1, 2, 3, 4], ran);
    }

    [Fact]
    public void A_repeated_item_runs_once_an_advance_until_it_is_cancelled()
    {
        var cancelable = new Cancelable(Sys.Scheduler);
        Scheduler.ScheduleTellRepeatedly(2 * Minute, Minute, TestActor, "again", ActorRefs.NoSender, cancelable);

        Scheduler.Advance(Minute);
        ExpectNoMsg(TimeSpan.Zero);
        for (var i = 0; i < 3; i++)
        {
            Scheduler.Advance(Minute);
            ExpectMsg("again");
            ExpectNoMsg(TimeSpan.Zero);
        }
        cancelable.Cancel();
        Scheduler.Advance(Minute);
        ExpectNoMsg(TimeSpan.Zero);
    }

    [Fact]
    public void Actions_repeat_and_once_only_ones_do_not()
    {
        var once = 0;
        var repeated = 0;
        Scheduler.Advanced.ScheduleOnce(Minute, () => once++);
        Scheduler.Advanced.ScheduleRepeatedly(TimeSpan.Zero, Minute, () => repeated++);

        for (var i = 0; i < 3; i++)
            Scheduler.Advance(Minute);

        Assert.Equal((1, 3), (once, repeated));
    }

    [Fact]
    public void An_actors_timers_and_receive_timeout_run_on_it()
    {
        // On the calling thread, so that each advance returns when the actor is done with what it set off.
        var sleeper = ActorOfAsTestActorRef(() => new Sleeper(TestActor));
        sleeper.Tell("awake");
        ExpectMsg("awake");

        Scheduler.Advance(Minute);
        ExpectMsg("timer");
        Scheduler.Advance(10 * Minute);
        ExpectMsg("idle");
    }

    private sealed class Sleeper : ReceiveActor, IWithTimers
    {
        private readonly IActorRef _report;

        public Sleeper(IActorRef report)
        {
            _report = report;
            Receive<string>(text => _report.Tell(text));
            Receive<ReceiveTimeout>(_ =>
            {
                SetReceiveTimeout(null);
                _report.Tell("idle");
            });
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart()
        {
            Timers.StartSingleTimer("key", "timer", Minute);
            SetReceiveTimeout(10 * Minute);
        }
    }
}
