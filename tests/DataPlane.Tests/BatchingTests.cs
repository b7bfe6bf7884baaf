using Userfault.Pages;
using Userfault.Tests;

namespace Userfault.DataPlane.Tests;

/// <summary>How many batches an owner is given for pages that travelled in frames of their own.</summary>
public class BatchingTests : ClientTests
{
    public BatchingTests()
        : this(onLoop: false) { }

    protected BatchingTests(bool onLoop)
        : base(onLoop) { }

    private static readonly PlaneImage Image = new(512);

    [Theory]
    [InlineData(3, new[] { 3 })]
    [InlineData(64, new[] { 64 })]
    [InlineData(70, new[] { 64, 6 })]
    public async Task Frames_of_one_request_that_came_together_are_given_together(int pages, int[] batches)
    {
        using var sent = new ManualResetEventSlim();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var first = ScriptedServer.ReadRequest(peer);
            peer.Send(ScriptedServer.Record(FrameType.Zero, first, 0));
            peer.Send([.. ReadEntries(peer, pages).SelectMany(e => ScriptedServer.Record(FrameType.Zero, e, 0))]);
            sent.Set();
        });
        var (sink, isOver) = Waiting(sent);
        using var client = PageClient.Connect(ClientOf(server.Endpoint, Image.Identity));

        // While the first request's sink waits, the receive thread takes nothing: all the rest is there when it looks
        // again.
        client.Ask(1, 500, 1, sink);
        client.Request(
            new PageRequest(2, FetchPriority.Demand, 0),
            [.. Enumerable.Range(0, pages).Select(i => Plane.Range((ulong)(2 * i), 1))],
            sink
        );
        await isOver;

        Assert.Equal(batches, sink.Batches.Skip(1).Select(b => b.Gfns.Length));
        Assert.Equal(
            Enumerable.Range(0, pages).Select(i => (ulong)(2 * i)),
            sink.Batches.Skip(1).SelectMany(b => b.Gfns)
        );
    }

    [Fact]
    public async Task Frames_of_different_requests_stay_apart_and_an_end_comes_behind_the_pages_before_it()
    {
        using var sent = new ManualResetEventSlim();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            var first = ScriptedServer.ReadRequest(peer);
            peer.Send(ScriptedServer.Record(FrameType.Zero, first, 0));
            var two = ReadEntries(peer, 2);
            var other = ReadEntries(peer, 1)[0];
            peer.Send([
                .. ScriptedServer.Record(FrameType.Zero, two[0] with { PageCount = 1 }, 0, flags: 0),
                .. ScriptedServer.Record(FrameType.Zero, other, 0),
                .. ScriptedServer.Record(FrameType.Zero, two[1], 0),
                .. ScriptedServer.Record(FrameType.End, two[0] with { FirstPage = 1, PageCount = 1 }, 2),
            ]);
            sent.Set();
        });
        var (sink, isOver) = Waiting(sent);
        using var client = PageClient.Connect(ClientOf(server.Endpoint, Image.Identity));

        client.Ask(1, 500, 1, sink);
        client.Request(new PageRequest(2, FetchPriority.Demand, 0), [Plane.Range(0, 2), Plane.Range(9, 1)], sink);
        client.Ask(3, 40, 1, sink);
        await isOver;

        Assert.Equal<ulong[]>(
            [
                [0],
                [40],
                [9],
            ],
            sink.Batches.Skip(1).Select(b => b.Gfns)
        );
        Assert.Equal([(2UL, FetchFailure.SourceLost)], sink.Failures);
        Assert.Equal(3, (await isOver) - 1);
    }

    [Fact]
    public async Task A_source_that_answers_several_places_in_one_batch_is_passed_on_in_order()
    {
        using var source = Scattered();
        using var server = new PageServer(Plane.Server, [new PageOffer(source)]);
        using var client = PageClient.Connect(ClientOf(server, Image.Identity));
        var sink = new RecordingSink(Image);

        for (ulong i = 0; i < 20; i++)
            client.Ask(i, i * 8, 8, sink);
        await sink.Ended(20);

        sink.AssertClean();
        Assert.Empty(sink.Failures);
        Assert.Equal(160, sink.Gfns.Count);
    }

    [Fact]
    public async Task What_is_asked_for_between_gather_and_send_goes_out_in_one_frame()
    {
        var frames = new List<int>();
        using var server = new ScriptedServer(peer =>
        {
            ScriptedServer.Shake(peer, Image);
            while (frames.Sum() < 4)
            {
                var (type, _, payload) = peer.ReadFrame()!.Value;
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
        var sink = new RecordingSink(Image);
        using var client = PageClient.Connect(ClientOf(server.Endpoint, Image.Identity));

        client.Gather();
        foreach (var page in new ulong[] { 3, 8, 18 })
            client.Ask(page, page, 1, sink);
        client.Send();
        await sink.Ended(3);
        client.Ask(23, 23, 1, sink);
        await sink.Ended(1);

        Assert.Equal([3, 1], frames);
        sink.AssertClean();
    }

    [Fact]
    public async Task A_server_asks_the_source_behind_it_at_once_for_what_one_frame_asks_for()
    {
        using var source = Scattered();
        using var server = new PageServer(Plane.Server, [new PageOffer(source)]);
        using var client = PageClient.Connect(ClientOf(server, Image.Identity));
        var sink = new RecordingSink(Image);

        client.Request(
            new PageRequest(1, FetchPriority.Demand, 0),
            [Plane.Range(0, 8), Plane.Range(64, 8), Plane.Range(16, 8)],
            sink
        );
        await sink.Ended(1);

        sink.AssertClean();
        // Each of the three places is a request of its own there.
        Assert.Equal([0UL, 64, 16], source.Asked.Select(a => a.Pages[0]));
        Assert.Equal(["gather", "request", "request", "request", "send"], source.Calls.Select(c => c.Split(' ')[0]));
    }

    private static RequestEntry[] ReadEntries(RawPeer peer, int count)
    {
        var entries = new List<RequestEntry>();
        while (entries.Count < count)
        {
            var (type, _, payload) = peer.ReadFrame()!.Value;
            if (type != FrameType.Request)
                continue;
            for (var at = 0; at < payload.Length; at += RequestEntry.Size)
            {
                Assert.True(RequestEntry.TryRead(payload.AsSpan(at), out var entry));
                entries.Add(entry);
            }
        }
        return [.. entries];
    }

    // Waits in the answer to request 1; the task ends with request 2, and says how many batches had come by then.
    private static (RecordingSink Sink, Task<int> IsOver) Waiting(ManualResetEventSlim sent)
    {
        var isOver = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        RecordingSink? sink = null;
        sink = new RecordingSink
        {
            OnBatch = batch => Assert.True(batch.RequestId != 1 || sent.Wait(Patience.Longest)),
            OnEnd = (id, _) =>
            {
                if (id == 2)
                    isOver.SetResult(sink!.Batches.Count);
            },
        };
        return (sink, isOver.Task.WaitAsync(Patience.Longest));
    }

    // Answers 8 pages as 4, 5, 0, 1 and then 2, 3, 6, 7.
    private static ScriptedSource Scattered() =>
        new("scattered")
        {
            Identity = Image.Identity,
            Pages = Image.Pages,
            Content = ContentOf,
            OnRequest = asked =>
            {
                var first = asked.Pages[0];
                asked.Answer([first + 4, first + 5, first, first + 1], isLast: false);
                asked.Answer([first + 2, first + 3, first + 6, first + 7]);
            },
        };

    private static unsafe PageContent ContentOf(MemoryPage memoryPage)
    {
        var content = Image.Read(memoryPage, null);
        return content == null || ZeroPage.IsZero(content)
            ? PageContent.Zero(memoryPage)
            : PageContent.Of(memoryPage, content);
    }
}
