using Akka.Actor;
using Akka.TestKit.Configs;
using Akka.TestKit.Xunit2;

namespace Userfault.Engine.Tests;

public sealed class TestFsmRefTests : TestKit
{
    public TestFsmRefTests()
        : base(TestConfigs.TestSchedulerConfig)
    {
    }

    [Fact]
    public void A_state_machine_can_be_seen_and_moved()
    {
        var door = ActorOfAsTestFSMRef<Door, string, int>("door");
        Assert.Equal("closed", door.StateName);

        door.Tell("push");
        Assert.Equal("open", door.StateName);
        Assert.Equal(1, door.StateData);

        door.SetState("closed", 5);
        Assert.Equal("closed", door.StateName);
        Assert.Equal(5, door.StateData);
        door.SetStateData(7);
        Assert.Equal(7, door.StateData);
        door.SetState("open");
        Assert.Equal("open", door.StateName);
        Assert.False(door.IsStateTimerActive());
        door.SetStateTimeout(TimeSpan.FromHours(1));
        Assert.True(door.IsStateTimerActive());
    }

    [Fact]
    public void Its_timers_can_be_set_and_cancelled()
    {
        var door = ActorOfAsTestFSMRef<Door, string, int>(() => new Door());
        door.SetTimer("t", "push", TimeSpan.FromHours(1));
        Assert.True(door.IsTimerActive("t"));
        door.CancelTimer("t");
        Assert.False(door.IsTimerActive("t"));
    }

    private sealed class Door : FSM<string, int>
    {
        public Door()
        {
            StartWith("closed", 0);
            When("closed", e => e.FsmEvent is "push" ? GoTo("open").Using(e.StateData + 1) : null!);
            When("open", e => e.FsmEvent is "push" ? GoTo("closed") : null!);
            Initialize();
        }
    }
}
