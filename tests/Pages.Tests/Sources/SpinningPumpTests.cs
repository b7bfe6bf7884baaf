using System.Collections.Concurrent;

namespace Userfault.Pages.Tests.Sources;

public sealed class SpinningPumpTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
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
        var sink = new BlockingSink(pump);
        for (ulong i = 0; i < 200; i++)
        {
            var sent = pump.NowNs;
            source.Request(
                new PageRequest(i, FetchPriority.Demand, sent),
                [new MemoryPageRange(new MemoryPage(i), 1)],
                sink
            );
            Assert.True(sink.Arrived.TryTake(out var arrival, Patience));
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
        var sink = new BlockingSink(pump);
        for (ulong i = 0; i < 5; i++)
        {
            Assert.True(SpinWait.SpinUntil(() => pump.IsParked, Patience));
            source.Request(
                new PageRequest(i, FetchPriority.Demand, pump.NowNs),
                [new MemoryPageRange(new MemoryPage(0), 1)],
                sink
            );
            Assert.True(sink.Arrived.TryTake(out _, Patience));
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
        var sink = new BlockingSink(pump);
        source.Request(
            new PageRequest(1, FetchPriority.Demand, pump.NowNs),
            [new MemoryPageRange(new MemoryPage(0), 1)],
            sink
        );
        Assert.True(sink.Arrived.TryTake(out var arrival, Patience));
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
        var sink = new BlockingSink(pump);
        ulong id = 0;
        foreach (var source in new[] { gone, one, two })
        {
            source.Request(
                new PageRequest(id++, FetchPriority.Demand, pump.NowNs),
                [new MemoryPageRange(new MemoryPage(0), 1)],
                sink
            );
        }

        Assert.True(sink.Arrived.TryTake(out var first, Patience));
        Assert.True(sink.Arrived.TryTake(out var second, Patience));
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

    private sealed class BlockingSink(SpinningPump pump) : IPageSink
    {
        public BlockingCollection<(ulong Id, long CompletedNs, long AtNs)> Arrived { get; } = [];

        public void OnPages(PageBatch batch)
        {
            Arrived.Add((batch.RequestId, batch.CompletedNs, pump.NowNs));
            batch.Release();
        }

        public void OnFailed(ulong requestId, FetchFailure failure)
        {
            // A source that is closed at a test's end gives up what it still holds; a wait for it would have timed out.
        }
    }
}
