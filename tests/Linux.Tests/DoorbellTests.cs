namespace Userfault.Linux.Tests.Sources;

public sealed class DoorbellTests
{
    [Fact]
    public void A_ring_before_the_wait_ends_it_and_counts_once()
    {
        using var bell = new Doorbell();
        bell.Ring();
        bell.Ring();
        bell.Wait(Doorbell.Forever);

        // Nothing is left of the rings: this one lasts its time.
        var start = TimeProvider.System.GetTimestamp();
        bell.Wait(3_000_000);
        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(2.9));
    }

    [Fact]
    public void Every_ring_wakes_who_waits()
    {
        using var bell = new Doorbell();
        using var answer = new Doorbell();
        var thread = new Thread(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                bell.Wait(Doorbell.Forever);
                answer.Ring();
            }
        });
        thread.Start();
        for (var i = 0; i < 1000; i++)
        {
            bell.Ring();
            answer.Wait(Doorbell.Forever);
        }

        Assert.True(thread.Join(TimeSpan.FromSeconds(60)));
    }

    [Fact]
    public void A_readable_descriptor_ends_the_wait_as_long_as_it_is_readable()
    {
        if (!Doorbell.TakesDescriptors)
            return;
        using var bell = new Doorbell();
        using var one = new EventCounter();
        using var two = new EventCounter();
        bell.Watch([one.Fd, two.Fd]);
        two.Signal();
        for (var i = 0; i < 2; i++)
        {
            bell.Wait(Doorbell.Forever);
            Assert.Equal((false, true), (bell.IsReadable(0), bell.IsReadable(1)));
        }

        two.Reset();
        bell.Wait(0);
        Assert.Equal((false, false), (bell.IsReadable(0), bell.IsReadable(1)));
        bell.Ring();
        bell.Wait(Doorbell.Forever);
        Assert.Equal((false, false), (bell.IsReadable(0), bell.IsReadable(1)));
        // What is no longer watched ends no wait.
        two.Signal();
        bell.Watch([one.Fd]);
        bell.Wait(0);
        Assert.False(bell.IsReadable(0));
    }

    [Fact]
    public void A_ring_after_the_end_is_nothing()
    {
        var bell = new Doorbell();
        bell.Dispose();
        bell.Ring();
    }
}
