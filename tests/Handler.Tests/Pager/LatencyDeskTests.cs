using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>Copies of a histogram that one thread writes and others ask for.</summary>
public class LatencyDeskTests
{
    [Fact]
    public void Whoever_asks_gets_all_of_it_however_many_ask_at_once()
    {
        var own = new LatencyHistogram();
        for (var i = 0; i < 10; i++)
            own.Record(1000);
        using var wakes = new SemaphoreSlim(0);
        var desk = new LatencyDesk(own, () => wakes.Release());
        var counts = new long[8];
        var askers = Enumerable
            .Range(0, counts.Length)
            .Select(i => new Thread(() => counts[i] = desk.Ask().Count))
            .ToList();
        askers.ForEach(a => a.Start());
        for (var i = 0; i < counts.Length; i++)
        {
            wakes.Wait();
            desk.Look();
        }
        askers.ForEach(a => a.Join());
        Assert.All(counts, count => Assert.Equal(10, count));
    }

    [Fact]
    public void What_was_wished_is_given_at_the_end_and_what_is_wished_behind_it_too()
    {
        var own = new LatencyHistogram();
        own.Record(1000);
        using var woken = new ManualResetEventSlim();
        var desk = new LatencyDesk(own, woken.Set);
        long before = -1;
        var asker = new Thread(() => before = desk.Ask().Count);
        asker.Start();
        woken.Wait();
        desk.Close();
        asker.Join();
        Assert.Equal((1, 1), (before, desk.Ask().Count));
    }

    /// <summary>What wakes the thread may be gone when it has ended.</summary>
    [Fact]
    public void Nobody_is_woken_behind_the_end()
    {
        var desk = new LatencyDesk(new LatencyHistogram(), () => Assert.Fail("woken"));
        desk.Close();
        desk.Drain();
        Assert.Equal(0, desk.Ask().Count);
        desk.WhileOpen(() => Assert.Fail("done to what is gone"));
    }
}
