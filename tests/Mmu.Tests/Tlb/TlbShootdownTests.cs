namespace Userfault.Mmu.Tests;

/// <summary>Who has to answer which flush, case by case.</summary>
public class TlbShootdownTests
{
    private static readonly GfnRange Low = new(new Gfn(0x100), 0x10);
    private static readonly GfnRange High = new(new Gfn(0x900), 0x20);

    [Fact]
    public void Nobody_in_guest_mode_means_done_at_once()
    {
        var shootdown = new TlbShootdown(3);
        Assert.Equal(1UL, shootdown.Request(Low));
        Assert.True(shootdown.IsComplete(1));
        Assert.False(shootdown.Owes(0, 1));
        Assert.Equal(1UL, new TlbShootdown(0).Request(Low));
    }

    [Fact]
    public void Everybody_in_guest_mode_has_to_answer()
    {
        var shootdown = Running(3);
        Assert.Equal(1UL, shootdown.Request(Low));
        Assert.Equal([true, true, true], Enumerable.Range(0, 3).Select(v => shootdown.Owes(v, 1)));
        Assert.Equal(new TlbFlush(1, Low), shootdown.PendingFor(2));
        Assert.False(shootdown.Acknowledge(2, 1));
        Assert.False(shootdown.Acknowledge(2, 1)); // said twice
        Assert.False(shootdown.Acknowledge(0, 1));
        Assert.False(shootdown.IsComplete(1));
        Assert.Equal([false, true, false], Enumerable.Range(0, 3).Select(v => shootdown.Owes(v, 1)));
        Assert.True(shootdown.Acknowledge(1, 1));
        Assert.True(shootdown.IsComplete(1));
        Assert.True(shootdown.PendingFor(1).IsEmpty);
    }

    [Fact]
    public void One_answer_covers_all_before_it_and_flushes_complete_in_order()
    {
        var shootdown = Running(2);
        shootdown.Request(Low);
        shootdown.Request(High);
        shootdown.Request(Low);
        Assert.Equal(new TlbFlush(3, new GfnRange(new Gfn(0x100), 0x820)), shootdown.PendingFor(0));
        Assert.False(shootdown.Acknowledge(0, 3));
        Assert.Equal(0UL, shootdown.Completed);
        Assert.True(shootdown.Acknowledge(1, 1));
        Assert.Equal(1UL, shootdown.Completed);
        Assert.True(shootdown.Acknowledge(1, 2));
        Assert.True(shootdown.Acknowledge(1, 3));
        Assert.Equal(3UL, shootdown.Completed);
    }

    [Fact]
    public void A_vcpu_outside_is_not_waited_for_and_flushes_on_its_way_in()
    {
        var shootdown = Running(2);
        Assert.False(shootdown.ExitGuest(1));
        shootdown.Request(Low);
        Assert.True(shootdown.Acknowledge(0, 1));
        shootdown.Request(High);
        Assert.True(shootdown.Acknowledge(0, 2));
        Assert.Equal(new TlbFlush(2, new GfnRange(new Gfn(0x100), 0x820)), shootdown.EnterGuest(1));
        Assert.False(shootdown.Owes(1, 2));
        shootdown.ExitGuest(1);
        Assert.True(shootdown.EnterGuest(1).IsEmpty);
    }

    [Fact]
    public void Leaving_the_guest_completes_what_only_it_owed()
    {
        var shootdown = Running(2);
        shootdown.Request(Low);
        shootdown.Request(High);
        Assert.False(shootdown.Acknowledge(0, 2));
        Assert.True(shootdown.ExitGuest(1));
        Assert.Equal(2UL, shootdown.Completed);
        Assert.False(shootdown.ExitGuest(1));
        // Its answer was on the way when it left: nothing new, and it owes no second flush.
        Assert.False(shootdown.Acknowledge(1, 2));
        Assert.True(shootdown.EnterGuest(1).IsEmpty);
    }

    [Fact]
    public void What_was_owed_when_it_left_is_still_to_be_dropped_on_the_way_in()
    {
        var shootdown = Running(1);
        shootdown.Request(Low);
        Assert.True(shootdown.ExitGuest(0));
        Assert.Equal(new TlbFlush(1, Low), shootdown.EnterGuest(0));
    }

    [Fact]
    public void Entering_twice_does_not_stand_for_an_answer()
    {
        var shootdown = Running(1);
        shootdown.Request(Low);
        Assert.Equal(new TlbFlush(1, Low), shootdown.EnterGuest(0));
        Assert.False(shootdown.IsComplete(1));
        Assert.True(shootdown.Acknowledge(0, 1));
    }

    [Fact]
    public void An_old_answer_leaves_the_newer_range_pending()
    {
        var shootdown = Running(1);
        shootdown.Request(Low);
        shootdown.Request(High);
        Assert.True(shootdown.Acknowledge(0, 1));
        Assert.Equal((High.End, 2UL), (shootdown.PendingFor(0).Range.End, shootdown.PendingFor(0).Generation));
    }

    [Fact]
    public void A_range_that_would_wrap_covers_everything_behind_its_start()
    {
        var shootdown = new TlbShootdown(1);
        shootdown.Request(Low);
        shootdown.Request(new GfnRange(new Gfn(0x50), ulong.MaxValue));
        Assert.Equal(new GfnRange(new Gfn(0x50), ulong.MaxValue - 0x50), shootdown.EnterGuest(0).Range);
    }

    [Fact]
    public void An_answer_to_what_was_never_asked_is_refused()
    {
        var shootdown = Running(1);
        shootdown.Request(Low);
        Assert.Throws<ArgumentOutOfRangeException>(() => shootdown.Acknowledge(0, 2));
        Assert.Throws<IndexOutOfRangeException>(() => shootdown.Acknowledge(1, 1));
    }

    private static TlbShootdown Running(int vcpus)
    {
        var shootdown = new TlbShootdown(vcpus);
        for (var vcpu = 0; vcpu < vcpus; vcpu++)
            Assert.True(shootdown.EnterGuest(vcpu).IsEmpty);
        return shootdown;
    }
}
