using Akka.Actor;
using Akka.TestKit;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TestSchedulerTests : TestKit
{
    public TestSchedulerTests()
        : base("akka.scheduler.implementation = \"Akka.TestKit.TestScheduler, Akka.TestKit\"")
    {
    }

    private TestScheduler Scheduler => (TestScheduler)Sys.Scheduler;

    [Fact]
    public void Time_passes_only_by_advance()
    {
        Scheduler.ScheduleTellOnce(TimeSpan.FromMinutes(10), TestActor, "late", ActorRefs.NoSender);

        Scheduler.Advance(TimeSpan.FromMinutes(9));
        ExpectNoMsg(TimeSpan.Zero);
        Scheduler.Advance(TimeSpan.FromMinutes(1));
        ExpectMsg("late");
        Scheduler.Advance(TimeSpan.FromHours(1));
        ExpectNoMsg(TimeSpan.Zero);
    }
}
