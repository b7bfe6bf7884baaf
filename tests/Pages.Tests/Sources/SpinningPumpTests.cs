using System.Collections.Concurrent;
using Userfault.Tests;

namespace Userfault.Pages.Tests.Sources;

public sealed class SpinningPumpTests : IDisposable
{
    private readonly SyntheticImage _image = new(new SyntheticSettings(256));

    public void Dispose() => _image.Dispose();

    [Fact]
    public void Answers_come_without_anybody_asking_and_never_early()
    {
        using var pump = new SpinningPump();
        using var source = new LocalPageSource(
            _image,
            new LocalSourceSettings { Link = new LinkSettings(LatencyNs: 30_000) },
            pump.Wake
        );
        pump.Add(source);
        var (sink, arrived) = Sink(pump);
        for (ulong i = 0; i < 200; i++)
        {
            var sent = pump.NowNs;
            source.Request(
                new PageRequest(i, FetchPriority.Demand, sent),
                [new MemoryPageRange(new MemoryPage(i), 1)],
                sink
            );
            Assert.True(arrived.TryTake(out var arrival, Patience.Longest));
            Assert.Equal(i, arrival.Id);
            Assert.Equal(sent + 30_000, arrival.CompletedNs);
            Assert.True(arrival.AtNs >= arrival.CompletedNs);
        }
    }

    [Fact]
    public void With_nothing_outstanding_the_thread_is_parked_and_wakes_again()
    {
        using var pump = new SpinningPump();
        using var source = new LocalPageSource(
            _image,
            new LocalSourceSettings { Link = new LinkSettings(LatencyNs: 1000) },
            pump.Wake
        );
        pump.Add(source);
        var (sink, arrived) = Sink(pump);
        for (ulong i = 0; i < 5; i++)
        {
            Eventually.HoldsHere(() => pump.IsParked);
            source.Request(
                new PageRequest(i, FetchPriority.Demand, pump.NowNs),
                [new MemoryPageRange(new MemoryPage(0), 1)],
                sink
            );
            Assert.True(arrived.TryTake(out _, Patience.Longest));
        }
    }

    [Fact]
    public void A_far_completion_sleeps_and_still_comes()
    {
        using var pump = new SpinningPump();
        using var source = new LocalPageSource(
            _image,
            new LocalSourceSettings { Link = new LinkSettings(LatencyNs: 20_000_000) },
            pump.Wake
        );
        pump.Add(source);
        var (sink, arrived) = Sink(pump);
        source.Request(
            new PageRequest(1, FetchPriority.Demand, pump.NowNs),
            [new MemoryPageRange(new MemoryPage(0), 1)],
            sink
        );
        Assert.True(arrived.TryTake(out var arrival, Patience.Longest));
        Assert.True(arrival.AtNs >= arrival.CompletedNs);
    }

    [Fact]
    public void Several_sources_are_driven_and_one_removed_is_not()
    {
        using var pump = new SpinningPump();
        var settings = new LocalSourceSettings { Link = new LinkSettings(LatencyNs: 5000) };
        using var one = new LocalPageSource(_image, settings, pump.Wake);
        using var two = new LocalPageSource(_image, settings, pump.Wake);
        using var gone = new LocalPageSource(_image, settings, pump.Wake);
        foreach (var source in new[] { one, two, gone })
            pump.Add(source);
        pump.Remove(gone);
        var (sink, arrived) = Sink(pump);
        ulong id = 0;
        foreach (var source in new[] { gone, one, two })
        {
            source.Request(
                new PageRequest(id++, FetchPriority.Demand, pump.NowNs),
                [new MemoryPageRange(new MemoryPage(0), 1)],
                sink
            );
        }

        Assert.True(arrived.TryTake(out var first, Patience.Longest));
        Assert.True(arrived.TryTake(out var second, Patience.Longest));
        Assert.Equal(
            [1ul, 2],
            new List<ulong> { first.Id, second.Id }
                .Order()
                .ToArray()
        );
        Assert.NotEqual(long.MaxValue, gone.NextDueNs);
    }

    [Fact]
    public void A_stopped_pump_takes_no_more_sources()
    {
        var pump = new SpinningPump();
        pump.Dispose();
        Assert.Throws<ObjectDisposedException>(() => pump.Add(new LocalPageSource(_image)));
        pump.Dispose();
    }

    // A source that is closed at a test's end gives up what it still holds; a wait for it would have timed out.
    private static (RecordingSink Sink, BlockingCollection<Arrival> Arrived) Sink(SpinningPump pump)
    {
        var arrived = new BlockingCollection<Arrival>();
        var sink = new RecordingSink
        {
            OnBatch = batch => arrived.Add(new Arrival(batch.RequestId, batch.CompletedNs, pump.NowNs)),
        };
        return (sink, arrived);
    }

    private readonly record struct Arrival(ulong Id, long CompletedNs, long AtNs);
}
