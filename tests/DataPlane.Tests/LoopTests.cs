using Userfault.Pages;

namespace Userfault.DataPlane.Tests;

/// <summary>A client whose pages are received by a loop that has other work, too.</summary>
public sealed class LoopTests
{
    private static readonly PlaneImage Image = new(512);

    [Fact]
    public async Task Pages_are_delivered_on_the_loops_thread_by_several_clients()
    {
        using var loop = new TestLoop();
        using var server = new PageServer(Plane.Server, [new PageOffer(Image)]);
        var options = Plane.ClientOf(server, Image.Identity) with { Loop = loop };
        using var one = PageClient.Connect(options);
        using var two = PageClient.Connect(options);
        var sinks = new[] { new ThreadSink(loop), new ThreadSink(loop) };

        for (ulong i = 0; i < 100; i++)
        {
            one.Ask(i, i, 4, sinks[0]);
            two.Ask(i, i, 4, sinks[1]);
        }

        foreach (var sink in sinks)
        {
            await sink.Ended(100);
            Assert.True(sink.WasAlwaysOnLoop);
        }

        Assert.Equal(2, loop.Count);
        one.Dispose();
        Assert.Equal(1, loop.Count);
    }

    [Fact]
    public async Task What_is_asked_for_in_one_turn_of_the_loop_goes_out_in_one_frame()
    {
        var frames = new List<int>();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            // A client that ends without its answers ends this, too.
            while (frames.Sum() < 5 && peer.ReadFrame() is (var type, _, var payload))
            {
                if (type != FrameType.Request)
                    continue;
                frames.Add(payload.Length / RequestEntry.Size);
                for (var at = 0; at < payload.Length; at += RequestEntry.Size)
                {
                    Assert.True(RequestEntry.TryRead(payload.AsSpan(at), out var entry));
                    peer.Send(ScriptedServer.Record(FrameType.Zero, entry, 0));
                }
            }
        });
        using var loop = new TestLoop();
        // Without timers: the client's watch would send what was forgotten.
        var options = Plane.ClientOf(server.Endpoint, Image.Identity) with
        {
            Loop = loop,
            Time = new WithoutTimers(),
        };
        using var client = PageClient.Connect(options);
        var sink = new ThreadSink(loop);

        loop.Post(() =>
        {
            for (ulong i = 0; i < 4; i++)
                client.Ask(i, i * 10, 1, sink);
        });
        await sink.Ended(4);
        // Another thread has no turn that would send its request later.
        client.Ask(4, 100, 1, sink);
        await sink.Ended(5);

        Assert.Equal([4, 1], frames);
    }

    [Fact]
    public async Task The_end_of_the_loop_is_the_end_of_its_clients()
    {
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            peer.ReadToEnd();
        });
        var owner = new TestOwner();
        var loop = new TestLoop();
        using var client = PageClient.Start(
            Plane.ClientOf(server.Endpoint, Image.Identity) with
            {
                Loop = loop,
            },
            owner
        );
        await owner.Opened;
        var sink = new ThreadSink(loop);
        client.Ask(1, 0, 1, sink);

        loop.Dispose();

        Assert.Equal(RefusalReason.Closed, (await owner.Closed).Reason);
        await sink.Ended(1);
        Assert.Equal([(1UL, FetchFailure.SourceLost)], sink.Failures);
        client.Ask(2, 0, 1, sink);
        await sink.Ended(2);
    }

    [Theory]
    [InlineData("on the loop")]
    [InlineData("in a delivery")]
    [InlineData("elsewhere")]
    public async Task A_client_may_be_closed_anywhere(string where)
    {
        using var loop = new TestLoop();
        using var server = new PageServer(Plane.Server, [new PageOffer(Image)]);
        var owner = new TestOwner();
        using var client = PageClient.Start(Plane.ClientOf(server, Image.Identity) with { Loop = loop }, owner);
        await owner.Opened;
        var sink = new ThreadSink(loop);

        switch (where)
        {
            case "on the loop":
                loop.Post(client.Dispose);
                break;
            case "in a delivery":
                sink.OnDelivery = client.Dispose;
                client.Ask(1, 0, 1, sink);
                await sink.Ended(1);
                break;
            default:
                client.Dispose();
                // Nothing is delivered after it.
                Assert.Equal(0, loop.Count);
                break;
        }

        Assert.Equal(RefusalReason.Closed, (await owner.Closed).Reason);
        client.Ask(2, 0, 1, sink);
        Assert.Contains((2UL, FetchFailure.SourceLost), sink.Failures);
    }

    [Fact]
    public async Task A_loop_that_has_ended_leaves_the_client_its_own_thread()
    {
        var loop = new TestLoop();
        loop.Dispose();
        using var server = new PageServer(Plane.Server, [new PageOffer(Image)]);
        using var client = PageClient.Connect(Plane.ClientOf(server, Image.Identity) with { Loop = loop });
        var sink = new ThreadSink(loop);

        client.Ask(1, 0, 300, sink);
        await sink.Ended(1);

        Assert.Empty(sink.Failures);
        Assert.False(sink.WasAlwaysOnLoop);
    }

    private sealed class WithoutTimers : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }
}
