namespace Userfault.Actors.Tests.Migrations;

/// <summary>The states of a migration.</summary>
public sealed class MigrationCoreTests
{
    [Fact]
    public void The_way_to_completion()
    {
        var core = new MigrationCore(vcpus: 2, fetchAll: true);
        Assert.Equal((MigrationState.Preparing, 0L), (core.State, core.ElapsedNs(50)));
        Assert.False(core.Pause("too early", 50));
        core.Started(100);
        core.VcpuFinished(0, 150);
        core.VcpuFinished(0, 160);
        Assert.Equal((1, -1L), (core.FinishedVcpus, core.GuestNs));
        core.VcpuFinished(1, 170);
        Assert.Equal((70L, false), (core.GuestNs, core.IsReadyToVerify));
        Assert.True(core.AllPagesPresent(300));
        Assert.False(core.AllPagesPresent(400));
        Assert.Equal((200L, true), (core.CompletionNs, core.IsReadyToVerify));
        core.Complete();
        Assert.Equal((MigrationState.Completed, true, false), (core.State, core.IsOver, core.IsReadyToVerify));
        Assert.Throws<InvalidOperationException>(core.Complete);
        core.Fail("too late");
        Assert.Equal((MigrationState.Completed, null), (core.State, core.Reason));
    }

    [Fact]
    public void Pauses_are_counted_and_timed()
    {
        var core = new MigrationCore(1, fetchAll: true);
        core.Started(0);
        Assert.False(core.Continue(5));
        Assert.True(core.Pause("lost", 10));
        Assert.False(core.Pause("lost again", 11));
        Assert.Equal((MigrationState.Paused, "lost"), (core.State, core.Reason));
        Assert.True(core.Continue(30));
        Assert.True(core.Pause("once more", 40));
        Assert.True(core.Continue(41));
        Assert.Equal((2, 21L), core.Pauses);
        Assert.Equal((MigrationState.Running, null), (core.State, core.Reason));
    }

    [Fact]
    public void Demand_alone_ends_with_the_guest()
    {
        var core = new MigrationCore(1, fetchAll: false);
        core.Started(0);
        Assert.False(core.IsReadyToVerify);
        core.VcpuFinished(0, 9);
        Assert.True(core.IsReadyToVerify);
    }

    [Fact]
    public void A_failure_keeps_its_first_reason()
    {
        var core = new MigrationCore(1, fetchAll: true);
        core.Fail("first");
        core.Fail("second");
        Assert.Equal((MigrationState.Failed, "first"), (core.State, core.Reason));
        // It was never started.
        Assert.Equal(0, core.ElapsedNs(50));
        Assert.Throws<InvalidOperationException>(() => core.Started(0));
    }
}
