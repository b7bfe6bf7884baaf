using Userfault.Mmu;

namespace Userfault.Actors.Tests.Memslots;

/// <summary>Who waits for which page.</summary>
public sealed class PageWaitersTests
{
    [Fact]
    public void Waiters_of_a_page_are_taken_first_come_first()
    {
        using var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 4);
        Assert.True(waiters.Add(new Gfn(7), 2));
        Assert.False(waiters.Add(new Gfn(7), 0));
        Assert.True(waiters.Add(new Gfn(3), 1));
        Assert.False(waiters.Add(new Gfn(7), 3));
        Assert.Equal(4, waiters.Count);
        Assert.Equal([new Gfn(3), new Gfn(7)], waiters.AwaitedPages());

        Assert.Equal([2, 0, 3], Take(waiters, 7));
        Assert.Equal((1, false, true), (waiters.Count, waiters.IsWaiting(2), waiters.IsWaiting(1)));
        Assert.Empty(Take(waiters, 7));
    }

    [Fact]
    public void A_waiter_that_was_taken_may_wait_again_while_its_page_is_walked()
    {
        using var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 2);
        waiters.Add(new Gfn(7), 0);
        waiters.Add(new Gfn(7), 1);
        var last = PageWaiters.Begin;
        Assert.True(waiters.TryTake(new Gfn(7), ref last, out var first));
        Assert.True(waiters.Add(new Gfn(8), 2));
        Assert.False(waiters.Add(new Gfn(7), first));
        Assert.True(waiters.TryTake(new Gfn(7), ref last, out var second));
        Assert.Equal((0, 1), (first, second));
        Assert.False(waiters.TryTake(new Gfn(7), ref last, out _));
        Assert.Equal([0], Take(waiters, 7));
        Assert.Equal([2], Take(waiters, 8));
    }

    [Fact]
    public void Who_was_not_taken_yet_still_waits()
    {
        using var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 4);
        foreach (var waiter in (int[])[3, 1, 2])
            waiters.Add(new Gfn(7), waiter);
        var last = PageWaiters.Begin;
        Assert.True(waiters.TryTake(new Gfn(7), ref last, out var first));
        Assert.Equal((3, false, true, true), (first, waiters.IsWaiting(3), waiters.IsWaiting(1), waiters.IsWaiting(2)));
        Assert.Equal([new Gfn(7)], waiters.AwaitedPages());
        Assert.Equal([1, 2], Take(waiters, 7));
    }

    [Fact]
    public void Waiting_twice_is_a_bug()
    {
        using var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 1);
        waiters.Add(new Gfn(7), 0);
        Assert.Throws<InvalidOperationException>(() => waiters.Add(new Gfn(8), 0));
    }

    [Fact]
    public void Room_grows_for_accessors_that_come_later()
    {
        using var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 1);
        Assert.False(waiters.IsWaiting(100));
        waiters.Add(new Gfn(7), 100);
        Assert.True(waiters.IsWaiting(100));
        Assert.Equal([100], Take(waiters, 7));
    }

    [Fact]
    public void A_slot_moves_only_when_nobody_waits()
    {
        var waiters = new PageWaiters(new GfnRange(new Gfn(0), 16), 1);
        waiters.Add(new Gfn(7), 0);
        Assert.Throws<InvalidOperationException>(() => waiters.MovedTo(new GfnRange(new Gfn(100), 16)));
        Take(waiters, 7);
        using var moved = waiters.MovedTo(new GfnRange(new Gfn(100), 16));
        Assert.True(moved.Add(new Gfn(115), 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => moved.Add(new Gfn(7), 1));
    }

    private static List<int> Take(PageWaiters waiters, ulong page)
    {
        var taken = new List<int>();
        var last = PageWaiters.Begin;
        while (waiters.TryTake(new Gfn(page), ref last, out var waiter))
            taken.Add(waiter);
        return taken;
    }
}
