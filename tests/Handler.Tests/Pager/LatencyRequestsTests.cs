using Userfault.Pages;

namespace Userfault.Handler.Tests;

/// <summary>Copies of a histogram that one thread writes and others ask for.</summary>
public class LatencyRequestsTests
{
    [Fact]
    public void Whoever_asks_gets_all_of_it_however_many_ask_at_once()
    {
        var own = new LatencyHistogram();
        for (var i = 0; i < 10; i++)
            own.Record(1000);
        using var wakes = new SemaphoreSlim(0);
        var requests = new LatencyRequests(own, () => wakes.Release());
        var counts = new long[8];
        var askers = Enumerable
            .Range(0, counts.Length)
            .Select(i => new Thread(() => counts[i] = requests.Ask().Count))
            .ToList();
        askers.ForEach(a => a.Start());
        for (var i = 0; i < counts.Length; i++)
        {
            wakes.Wait();
            requests.Look();
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
        var requests = new LatencyRequests(own, woken.Set);
        long before = -1;
        var asker = new Thread(() => before = requests.Ask().Count);
        asker.Start();
        woken.Wait();
        requests.Close();
        asker.Join();
        Assert.Equal((1, 1), (before, requests.Ask().Count));
    }

    /// <summary>What wakes the thread may be gone when it has ended.</summary>
    [Fact]
    public void Nobody_is_woken_behind_the_end()
    {
        var requests = new LatencyRequests(new LatencyHistogram(), () => Assert.Fail("woken"));
        requests.Close();
        requests.Drain();
        Assert.Equal(0, requests.Ask().Count);
        requests.WhileOpen(() => Assert.Fail("done to what is gone"));
    }
}
